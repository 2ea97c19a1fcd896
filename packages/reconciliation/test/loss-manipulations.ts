import { objectKey } from '@residency/contracts';
import { A, BOTH, erased } from './erasure-manipulations.ts';
import type { Manipulation } from './manipulation.ts';
import { addSite, at, giveUp, put, recordCopy, recordLoss, submissionOf } from './world.ts';
import type { World } from './world.ts';

const a = { submission: submissionOf('a'), position: A };
const key = objectKey(a.submission);

/** Both sites of `a` lose it, and it is given up. */
export function lost(world: World): void {
  for (const site of BOTH) world.sites.get(site)?.delete(key);
  giveUp(world, ['a']);
  recordLoss(world, 'a', A);
}

export const lossManipulations: readonly Manipulation[] = [
  {
    title: 'a sample that was given up and is there again',
    code: 'LOST_BUT_PRESENT',
    where: { ...a, key, site: 'zrh-2' },
    apply: (world) => {
      const object = at(world, 'zrh-2', 'a');
      lost(world);
      put(world, 'zrh-2', 'a', object);
    },
  },
  {
    title: 'damaged bytes under the key of a sample that was given up',
    code: 'LOST_BUT_PRESENT',
    where: { submission: a.submission, key, site: 'zrh-1' },
    apply: (world) => {
      lost(world);
      world.sites.get('zrh-1')?.set(key, { bytes: Buffer.from('damaged') });
    },
  },
  {
    title: 'a sample of Zurich that was given up and is in Moscow',
    code: 'WRONG_REGION',
    where: { ...a, key, site: 'mow-1' },
    apply: (world) => {
      const object = at(world, 'zrh-2', 'a');
      lost(world);
      put(world, 'mow-1', 'a', object);
    },
  },
  {
    title: 'an event of a loss that nobody accepted',
    code: 'LOST_WITHOUT_ORDER',
    where: a,
    apply: (world) => {
      lost(world);
      world.losses.pop();
    },
  },
  {
    title: "an event of a loss by another sample's order",
    code: 'LOST_WITHOUT_ORDER',
    where: a,
    apply: (world) => {
      lost(world);
      world.losses.pop();
      giveUp(world, ['d']);
    },
  },
  {
    title: "an event of a loss by another region's order",
    code: 'LOST_WITHOUT_ORDER',
    where: a,
    apply: (world) => {
      lost(world);
      world.losses.pop();
      giveUp(world, ['a'], { region: 'moscow' });
    },
  },
  {
    title: 'an event of a copy after the loss',
    code: 'COPIED_AFTER_LOSS',
    where: { ...a, site: 'zrh-3' },
    apply: (world) => {
      lost(world);
      addSite(world, 'zurich', 'zrh-3');
      recordCopy(world, 'a', { of: A, to: 'zrh-3' });
    },
  },
  {
    title: 'a second event of a loss',
    code: 'LOST_TWICE',
    where: a,
    apply: (world) => {
      lost(world);
      recordLoss(world, 'a', A);
    },
  },
  {
    title: 'an event of a loss after the erasure',
    code: 'LOST_AFTER_ERASURE',
    where: a,
    apply: (world) => {
      erased(world);
      giveUp(world, ['a']);
      recordLoss(world, 'a', A);
    },
  },
  {
    title: 'an event of a loss where nothing was stored',
    code: 'CUSTODY_OF_UNKNOWN',
    where: { position: 'log-1/threat.samples/0/2' },
    apply: (world) => {
      recordLoss(world, 'c', 'log-1/threat.samples/0/2');
    },
  },
  {
    title: 'an event of a loss that names a site of another region',
    code: 'WRONG_REGION',
    where: { ...a, site: 'mow-1' },
    apply: (world) => {
      giveUp(world, ['a']);
      recordLoss(world, 'a', A, { sites: [{ site: 'mow-1', found: 'nothing' }] });
    },
  },
];
