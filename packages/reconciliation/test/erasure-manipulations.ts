import { objectKey, setAsideKey, sha256, tombstoneBytes } from '@residency/contracts';
import { flip } from './manipulation.ts';
import type { Manipulation } from './manipulation.ts';
import {
  ORDER,
  addSite,
  at,
  erase,
  objectOf,
  order,
  positionOf,
  put,
  recordCopy,
  recordErasure,
  submissionOf,
} from './world.ts';
import type { World } from './world.ts';

export const A = 'log-1/threat.samples/0/0';
const OTHER = '00000000-0000-4000-8000-000000000002';
export const BOTH = ['zrh-1', 'zrh-2'];
const a = { submission: submissionOf('a'), position: A };
const key = objectKey(a.submission);

/** `a` is erased in both sites of its region. */
export function erased(world: World): void {
  order(world, ['a']);
  for (const site of BOTH) erase(world, site, A);
  recordErasure(world, 'a', { of: A, sites: BOTH });
}

/** Keeps bytes aside for `a`. */
export function keepAside(world: World, site: string, bytes: Buffer): string {
  const aside = setAsideKey(a.submission, sha256(Buffer.from('damaged')));
  world.sites.get(site)?.set(aside, { bytes });
  return aside;
}

const present: readonly Manipulation[] = [
  {
    title: 'an erased sample that is there again',
    code: 'ERASED_BUT_PRESENT',
    where: { ...a, key, site: 'zrh-2' },
    apply: (world) => {
      const object = at(world, 'zrh-2', 'a');
      erased(world);
      put(world, 'zrh-2', 'a', object);
    },
  },
  {
    title: 'a tombstone with a flipped bit',
    code: 'ERASED_BUT_PRESENT',
    where: { ...a, key, site: 'zrh-2' },
    apply: (world) => {
      erased(world);
      flip(world, 'zrh-2', 'a');
    },
  },
  {
    title: 'a tombstone without metadata',
    code: 'ERASED_BUT_PRESENT',
    where: { ...a, key, site: 'zrh-1' },
    apply: (world) => {
      erased(world);
      delete at(world, 'zrh-1', 'a').metadata;
    },
  },
  {
    title: 'a tombstone with metadata of another record',
    code: 'ERASED_BUT_PRESENT',
    where: { ...a, key, site: 'zrh-1' },
    apply: (world) => {
      erased(world);
      const object = at(world, 'zrh-1', 'a');
      object.metadata = { ...object.metadata, position: 'log-1/threat.samples/0/1' };
    },
  },
  {
    title: 'the sample under a set-aside key of an erased one',
    code: 'ERASED_BUT_PRESENT',
    where: { ...a, key: setAsideKey(a.submission, sha256(Buffer.from('damaged'))), site: 'zrh-2' },
    apply: (world) => {
      const { bytes } = at(world, 'zrh-2', 'a');
      erased(world);
      keepAside(world, 'zrh-2', bytes);
    },
  },
  {
    title: 'a tombstone of no order under a set-aside key of an erased sample',
    code: 'ERASED_BUT_PRESENT',
    where: { ...a, site: 'zrh-2' },
    apply: (world) => {
      erased(world);
      keepAside(world, 'zrh-2', tombstoneBytes(a.submission, OTHER));
    },
  },
  {
    title: 'a tombstone that is gone',
    code: 'TOMBSTONE_MISSING',
    where: { ...a, key, site: 'zrh-2' },
    apply: (world) => {
      erased(world);
      world.sites.get('zrh-2')?.delete(key);
    },
  },
  {
    title: 'a tombstone that was never put into a site of a later version, with its event',
    code: 'TOMBSTONE_MISSING',
    where: { ...a, key, site: 'zrh-3' },
    apply: (world) => {
      erased(world);
      addSite(world, 'zurich', 'zrh-3');
      recordErasure(world, 'a', { of: A, sites: ['zrh-3'] });
    },
  },
];

const unordered: readonly Manipulation[] = [
  {
    title: 'an event of an erasure that nobody ordered',
    code: 'ERASED_WITHOUT_ORDER',
    where: a,
    apply: (world) => {
      erased(world);
      world.orders.pop();
    },
  },
  {
    title: "an event of an erasure by another sample's order",
    code: 'ERASED_WITHOUT_ORDER',
    where: a,
    apply: (world) => {
      erased(world);
      world.orders.pop();
      order(world, ['b']);
    },
  },
  {
    title: 'an erasure by an order about the consent, of a record after its instant',
    code: 'ERASED_WITHOUT_ORDER',
    where: a,
    apply: (world) => {
      erased(world);
      world.orders.pop();
      const consents = [{ consentId: 'consent-0001', before: '2024-01-01T00:00:00Z' }];
      world.orders.push({ act: ORDER, at: 0, reason: 'withdrawn', submissions: [], consents });
    },
  },
  {
    title: 'a tombstone that nobody ordered, without an event',
    code: 'ERASED_WITHOUT_ORDER',
    where: { ...a, key, site: 'zrh-2' },
    apply: (world) => {
      erase(world, 'zrh-2', A);
    },
  },
  {
    title: 'a tombstone of another order than the one that erased the sample, which nobody gave',
    code: 'ERASED_WITHOUT_ORDER',
    where: { ...a, key, site: 'zrh-2' },
    apply: (world) => {
      erased(world);
      erase(world, 'zrh-2', A, OTHER);
    },
  },
  {
    title: 'a tombstone that nobody ordered in a site of a later version',
    code: 'ERASED_WITHOUT_ORDER',
    where: { ...a, key, site: 'zrh-3' },
    apply: (world) => {
      addSite(world, 'zurich', 'zrh-3');
      erase(world, 'zrh-3', A);
    },
  },
  {
    title: 'a tombstone of a record in flight that nobody ordered',
    code: 'ERASED_WITHOUT_ORDER',
    where: { submission: submissionOf('x'), site: 'zrh-1' },
    apply: (world) => {
      world.waiting.set('log-1/threat.samples/0', 1n);
      const bytes = tombstoneBytes(submissionOf('x'), ORDER);
      const object = objectOf('x', 'zurich', positionOf(0, 4n), 0, bytes);
      put(world, 'zrh-1', 'x', { ...object, metadata: { ...object.metadata, erased: ORDER } });
    },
  },
];

const wrongly: readonly Manipulation[] = [
  {
    title: 'a tombstone in another region',
    code: 'WRONG_REGION',
    where: { ...a, key, site: 'mow-1' },
    apply: (world) => {
      erased(world);
      erase(world, 'mow-1', A);
    },
  },
  {
    title: "another sample's tombstone where nothing was erased",
    code: 'METADATA_DIFFERS',
    where: { site: 'zrh-1', submission: submissionOf('d') },
    apply: (world) => {
      const object = at(world, 'zrh-1', 'd');
      object.metadata = { ...object.metadata, erased: ORDER };
    },
  },
  {
    title: 'an event of an erasure where nothing was stored',
    code: 'CUSTODY_OF_UNKNOWN',
    where: { position: 'log-1/threat.samples/0/2' },
    apply: (world) => {
      recordErasure(world, 'c', { of: 'log-1/threat.samples/0/2', sites: BOTH });
    },
  },
  {
    title: "an event of an erasure of one submission at another's position",
    code: 'COPY_OF_ANOTHER',
    where: a,
    apply: (world) => {
      recordErasure(world, 'd', { of: A, sites: BOTH });
    },
  },
  {
    title: 'an event of an erasure in a site of another region',
    code: 'WRONG_REGION',
    where: { ...a, site: 'mow-1' },
    apply: (world) => {
      order(world, ['a']);
      for (const site of BOTH) erase(world, site, A);
      recordErasure(world, 'a', { of: A, sites: [...BOTH, 'mow-1'] });
    },
  },
  {
    title: 'an event of a copy after the erasure',
    code: 'COPIED_AFTER_ERASURE',
    where: { ...a, site: 'zrh-3' },
    apply: (world) => {
      erased(world);
      addSite(world, 'zurich', 'zrh-3');
      recordCopy(world, 'a', { of: A, to: 'zrh-3' });
    },
  },
  {
    title: 'an event of an erasure that was appended twice',
    code: 'CUSTODY_CHAIN_BROKEN',
    where: a,
    apply: (world) => {
      erased(world);
      const log = world.custody.get('zurich');
      log?.push(...log);
    },
  },
];

export const erasureManipulations: readonly Manipulation[] = [...present, ...unordered, ...wrongly];
