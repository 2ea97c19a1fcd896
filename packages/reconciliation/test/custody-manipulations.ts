import { formatPosition, objectKey, setAsideKey, sha256 } from '@residency/contracts';
import { editFirst, flip } from './manipulation.ts';
import type { Manipulation } from './manipulation.ts';
import {
  addSite,
  at,
  copy,
  judged,
  objectOf,
  placementOf,
  positionOf,
  put,
  recordCopy,
  settle,
  storeOwing,
  submissionOf,
} from './world.ts';
import type { World } from './world.ts';

const A = 'log-1/threat.samples/0/0';
/** The position of the first record that a manipulation adds. */
const O = 'log-1/threat.samples/0/4';
const o = { submission: submissionOf('o'), key: objectKey(submissionOf('o')), position: O };
const ZRH_2 = { from: 'zrh-1', to: 'zrh-2' };
const ZRH_3 = { from: 'zrh-1', to: 'zrh-3' };

/** Stores `o` in the first site, and pays the copy that the second one owes. */
export function pay(world: World): void {
  storeOwing(world, 'o', 'zurich');
  copy(world, 'o', ZRH_2);
  recordCopy(world, 'o', { of: O, to: 'zrh-2' });
}

/** Stores `o` with another ciphertext in the second site, as a repeated attempt did. */
export function storeUnequal(world: World): void {
  const objects = [1, 2].map((attempt) => objectOf('o', 'zurich', positionOf(0, 4n), attempt));
  const placements = objects.map((object, i) => {
    put(world, `zrh-${i + 1}`, 'o', object);
    return placementOf(`zrh-${i + 1}`, 'o', object);
  });
  settle(world, 0, { outcome: 'stored', data: { ...judged('o', 'zurich'), placements } });
}

/** Copies `a` to a site that a later policy version added. */
export function backfill(world: World): void {
  addSite(world, 'zurich', 'zrh-3');
  copy(world, 'a', ZRH_3);
}

function payAnother(world: World): void {
  pay(world);
  const of = formatPosition(storeOwing(world, 'p', 'zurich'));
  copy(world, 'p', ZRH_2);
  recordCopy(world, 'p', { of, to: 'zrh-2' });
}

const a = { submission: submissionOf('a'), position: A };

/** Mistakes in copies that a site owes or owed. */
const owed: readonly Manipulation[] = [
  {
    title: 'a copy that was paid and is gone',
    code: 'OBJECT_MISSING',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      pay(world);
      world.sites.get('zrh-2')?.delete(o.key);
    },
  },
  {
    title: 'a copy that was never made, with its event',
    code: 'OBJECT_MISSING',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      recordCopy(world, 'o', { of: O, to: 'zrh-2' });
    },
  },
  {
    title: 'a copy that was paid, with a flipped bit',
    code: 'CIPHERTEXT_DIFFERS',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      pay(world);
      flip(world, 'zrh-2', 'o');
    },
  },
  {
    title: 'a copy that was paid, without metadata',
    code: 'METADATA_MISSING',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      pay(world);
      delete at(world, 'zrh-2', 'o').metadata;
    },
  },
  {
    title: 'a copy that was paid, with the metadata of a custodian in place of the source object’s',
    code: 'METADATA_DIFFERS',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      pay(world);
      const object = at(world, 'zrh-2', 'o');
      object.metadata = { ...object.metadata, position: A };
    },
  },
  {
    title: 'a copy before its event, with a flipped bit',
    code: 'CIPHERTEXT_DIFFERS',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      copy(world, 'o', ZRH_2);
      flip(world, 'zrh-2', 'o');
    },
  },
  {
    title: 'the object of another record where a copy is owed',
    code: 'OBJECT_REPLACED',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      put(world, 'zrh-2', 'o', objectOf('o', 'zurich', positionOf(1, 0n), 7));
    },
  },
  {
    title: 'another ciphertext that is gone before it was replaced',
    code: 'OBJECT_MISSING',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      storeUnequal(world);
      world.sites.get('zrh-2')?.delete(o.key);
    },
  },
  {
    title: 'another ciphertext that was replaced, with a flipped bit',
    code: 'CIPHERTEXT_DIFFERS',
    where: { ...o, site: 'zrh-2' },
    apply: (world) => {
      storeUnequal(world);
      copy(world, 'o', ZRH_2);
      recordCopy(world, 'o', { of: O, to: 'zrh-2' });
      flip(world, 'zrh-2', 'o');
    },
  },
];

/** Mistakes in a site that a later policy version added, and under set-aside keys. */
const elsewhere: readonly Manipulation[] = [
  {
    title: 'a backfilled copy that is gone',
    code: 'OBJECT_MISSING',
    where: { ...a, site: 'zrh-3' },
    apply: (world) => {
      addSite(world, 'zurich', 'zrh-3');
      recordCopy(world, 'a', { of: A, to: 'zrh-3' });
    },
  },
  {
    title: 'a backfilled copy with a flipped bit',
    code: 'CIPHERTEXT_DIFFERS',
    where: { ...a, site: 'zrh-3' },
    apply: (world) => {
      backfill(world);
      recordCopy(world, 'a', { of: A, to: 'zrh-3' });
      flip(world, 'zrh-3', 'a');
    },
  },
  {
    title: 'a copy in a new site without its event, with a flipped bit',
    code: 'WRONG_REGION',
    where: { ...a, site: 'zrh-3' },
    apply: (world) => {
      backfill(world);
      flip(world, 'zrh-3', 'a');
    },
  },
  {
    title: 'a copy in a site of no policy version',
    code: 'WRONG_REGION',
    where: { ...a, site: 'zrh-3' },
    apply: (world) => {
      world.sites.set('zrh-3', new Map());
      copy(world, 'a', ZRH_3);
    },
  },
  {
    title: 'bytes that were set aside for a sample that is stored nowhere',
    code: 'FOREIGN_OBJECT',
    where: { site: 'zrh-1', submission: submissionOf('x') },
    apply: (world) =>
      world.sites.get('zrh-1')?.set(setAsideKey(submissionOf('x'), sha256(Buffer.from('x'))), {
        bytes: Buffer.from('x'),
      }),
  },
  {
    title: 'bytes that were set aside in another region',
    code: 'FOREIGN_OBJECT',
    where: { site: 'mow-1', submission: submissionOf('a') },
    apply: (world) =>
      world.sites.get('mow-1')?.set(setAsideKey(submissionOf('a'), sha256(Buffer.from('x'))), {
        bytes: Buffer.from('x'),
      }),
  },
];

/** Mistakes in what the custody log or the stored event says. */
const said: readonly Manipulation[] = [
  {
    title: 'a second event for a copy',
    code: 'COPIED_TWICE',
    where: { submission: o.submission, position: O, site: 'zrh-2' },
    apply: (world) => {
      pay(world);
      recordCopy(world, 'o', { of: O, to: 'zrh-2' });
    },
  },
  {
    title: 'an event for a copy that was there from the start',
    code: 'COPIED_TWICE',
    where: { ...a, site: 'zrh-2' },
    apply: (world) => {
      recordCopy(world, 'a', { of: A, to: 'zrh-2' });
    },
  },
  {
    title: 'an event for a copy of another ciphertext',
    code: 'COPY_DIFFERS',
    where: { submission: o.submission, position: O, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      const other = objectOf('o', 'zurich', positionOf(0, 4n), 7);
      recordCopy(world, 'o', { of: O, to: 'zrh-2' }, { copy: placementOf('zrh-2', 'o', other) });
    },
  },
  {
    title: "an event about one submission at another's position",
    code: 'COPY_OF_ANOTHER',
    where: { submission: o.submission, position: O, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      recordCopy(world, 'a', { of: O, to: 'zrh-2' });
    },
  },
  {
    title: "an event in one region about another's sample",
    code: 'COPY_OF_ANOTHER',
    where: { submission: submissionOf('b'), position: 'log-1/threat.samples/0/1', site: 'zrh-2' },
    apply: (world) => {
      recordCopy(world, 'b', { of: 'log-1/threat.samples/0/1', to: 'zrh-2' });
    },
  },
  ...['log-1/threat.samples/0/2', 'log-1/threat.samples/0/9', 'log-0/threat.samples/0/4'].map(
    (of): Manipulation => ({
      title: `an event about ${of}, where nothing was stored`,
      code: 'CUSTODY_OF_UNKNOWN',
      where: { position: of, site: 'zrh-2' },
      apply: (world) => {
        storeOwing(world, 'o', 'zurich');
        recordCopy(world, 'o', { of: O, to: 'zrh-2' }, { of });
      },
    }),
  ),
  {
    title: 'a custody event that is missing',
    code: 'CUSTODY_CHAIN_BROKEN',
    where: { position: 'log-1/threat.samples/0/5', site: 'zrh-2' },
    apply: (world) => {
      payAnother(world);
      world.custody.get('zurich')?.shift();
    },
  },
  {
    title: 'a custody event that names another one before it',
    code: 'CUSTODY_CHAIN_BROKEN',
    where: { position: O, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      copy(world, 'o', ZRH_2);
      recordCopy(world, 'o', { of: O, to: 'zrh-2' }, { previous: sha256(Buffer.from('x')) });
    },
  },
  {
    title: 'a custody event that was appended twice',
    code: 'CUSTODY_CHAIN_BROKEN',
    where: { position: O, site: 'zrh-2' },
    apply: (world) => {
      pay(world);
      const log = world.custody.get('zurich');
      log?.push(...log);
    },
  },
  {
    title: 'a record in a custody log that is no event',
    code: 'CUSTODY_EVENT_INVALID',
    where: {},
    apply: (world) => world.custody.set('zurich', [Buffer.from('{}')]),
  },
  {
    title: "a custody event with another submission's key",
    code: 'CUSTODY_EVENT_INVALID',
    where: { position: O, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      const other = placementOf('zrh-2', 'a', at(world, 'zrh-1', 'o'));
      recordCopy(world, 'o', { of: O, to: 'zrh-2' }, { copy: other });
    },
  },
  {
    title: 'a custody event with a set-aside key of other bytes',
    code: 'CUSTODY_EVENT_INVALID',
    where: { position: O, site: 'zrh-2' },
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      copy(world, 'o', ZRH_2);
      const setAside = { key: 'damaged/a', sha256: sha256(Buffer.from('x')) };
      recordCopy(world, 'o', { of: O, to: 'zrh-2' }, { setAside });
    },
  },
  {
    title: 'a custody event that says that a sample was copied to another region',
    code: 'WRONG_REGION',
    where: { ...a, site: 'mow-1' },
    apply: (world) => {
      const abroad = placementOf('mow-1', 'a', at(world, 'zrh-1', 'a'));
      recordCopy(world, 'a', { of: A, to: 'zrh-2' }, { copy: abroad });
    },
  },
  {
    title: 'a custody event that says that a sample was copied from another region',
    code: 'WRONG_REGION',
    where: a,
    apply: (world) => {
      recordCopy(world, 'a', { of: A, to: 'zrh-2' }, { from: 'mow-1' });
    },
  },
  {
    title: 'a copy that the first site owes',
    code: 'PLACEMENTS_INCOMPLETE',
    where: { submission: o.submission, position: O },
    apply: (world) => {
      const object = objectOf('o', 'zurich', positionOf(0, 4n));
      put(world, 'zrh-2', 'o', object);
      settle(world, 0, {
        outcome: 'stored',
        data: {
          ...judged('o', 'zurich'),
          placements: [placementOf('zrh-2', 'o', object)],
          owed: ['zrh-1'],
        },
      });
    },
  },
  {
    title: 'a site that has a placement and owes a copy',
    code: 'PLACEMENTS_INCOMPLETE',
    where: a,
    apply: (world) => {
      editFirst(world, (data) => ({ ...data, owed: ['zrh-2'] }));
    },
  },
  ...[['mow-1'], ['zrh-2', 'zrh-2'], ['zrh-2', 'zrh-3']].map((sites): Manipulation => ({
    title: `a placement in zrh-1, and copies owed by ${sites.join(' and ')}`,
    code: 'PLACEMENTS_INCOMPLETE',
    where: a,
    apply: (world) => {
      editFirst(world, (data) => ({
        ...data,
        placements: data.placements.slice(0, 1),
        owed: sites,
      }));
    },
  })),
  {
    title: 'a copy in a site of the region that is not configured',
    code: 'SITE_NOT_READ',
    where: { site: 'zrh-3' },
    apply: (world) => {
      backfill(world);
      recordCopy(world, 'a', { of: A, to: 'zrh-3' });
    },
    deps: (deps) => ({ ...deps, sites: deps.sites.filter(({ site }) => site !== 'zrh-3') }),
  },
];

export const custodyManipulations: readonly Manipulation[] = [...owed, ...elsewhere, ...said];
