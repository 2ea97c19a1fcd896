import { formatPosition, sha256 } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { reconcile } from '../src/index.ts';
import type { ReconcileDeps } from '../src/index.ts';
import { backfill, pay, storeUnequal } from './custody-manipulations.ts';
import { flip } from './manipulation.ts';
import {
  addSite,
  copy,
  depsOf,
  emptyWorld,
  judged,
  objectOf,
  placementOf,
  positionOf,
  publish,
  put,
  recordCopy,
  sampleWorld,
  seal,
  setAside,
  settle,
  store,
  storeOwing,
} from './world.ts';
import type { World } from './world.ts';

const A = 'log-1/threat.samples/0/0';
const O = 'log-1/threat.samples/0/4';
const ZRH_2 = { from: 'zrh-1', to: 'zrh-2' };
const ZRH_3 = { from: 'zrh-1', to: 'zrh-3' };

/** A record that is not settled wrote the object that its neighbour adopted and that was copied on. */
function backfillAdopted(world: World): void {
  const from = { position: 'log-1/threat.samples/0/5', policyDigest: sha256(Buffer.from('older')) };
  const bytes = seal('o', 'zurich', 1, { policyDigest: from.policyDigest });
  const written = objectOf('o', 'zurich', positionOf(0, 5n), 1, bytes);
  const object = {
    ...written,
    metadata: { ...written.metadata, 'policy-digest': from.policyDigest },
  };
  for (const site of ['zrh-1', 'zrh-2']) put(world, site, 'o', object);
  settle(world, 0, {
    outcome: 'stored',
    data: {
      ...judged('o', 'zurich'),
      placements: ['zrh-1', 'zrh-2'].map((site) => ({
        ...placementOf(site, 'o', object),
        adopted: from,
      })),
    },
  });
  publish(world, 0);
  addSite(world, 'zurich', 'zrh-3');
  copy(world, 'o', ZRH_3);
}

interface State {
  readonly title: string;
  readonly apply: (world: World) => void;
  readonly owed: Readonly<Record<string, number>>;
}

const states: readonly State[] = [
  {
    title: 'a copy that a site owes and does not have',
    apply: (world) => storeOwing(world, 'o', 'zurich'),
    owed: { 'zrh-2': 1 },
  },
  {
    title: 'one that it has, before its event',
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      copy(world, 'o', ZRH_2);
    },
    owed: { 'zrh-2': 1 },
  },
  { title: 'one that was paid', apply: pay, owed: {} },
  {
    title: "an earlier attempt's ciphertext where a copy is owed",
    apply: (world) => {
      storeOwing(world, 'o', 'zurich');
      put(world, 'zrh-2', 'o', objectOf('o', 'zurich', positionOf(0, 4n), 7));
    },
    owed: { 'zrh-2': 1 },
  },
  { title: 'another ciphertext in the second site', apply: storeUnequal, owed: { 'zrh-2': 1 } },
  {
    title: 'another ciphertext that was set aside and replaced, before its event',
    apply: (world) => {
      storeUnequal(world);
      setAside(world, 'zrh-2', 'o');
      copy(world, 'o', ZRH_2);
    },
    owed: { 'zrh-2': 1 },
  },
  {
    title: 'another ciphertext that was replaced',
    apply: (world) => {
      storeUnequal(world);
      const kept = setAside(world, 'zrh-2', 'o');
      copy(world, 'o', ZRH_2);
      recordCopy(world, 'o', { of: O, to: 'zrh-2' }, { setAside: kept });
    },
    owed: {},
  },
  {
    title: 'a site that a later version added, without copies',
    apply: (world) => {
      addSite(world, 'zurich', 'zrh-3');
    },
    owed: { 'zrh-3': 2 },
  },
  { title: 'a copy in it, before its event', apply: backfill, owed: { 'zrh-3': 2 } },
  {
    title: 'a copy in it',
    apply: (world) => {
      backfill(world);
      recordCopy(world, 'a', { of: A, to: 'zrh-3' });
    },
    owed: { 'zrh-3': 1 },
  },
  {
    title: 'a copy in it of an object that was adopted from a record in flight, before its event',
    apply: backfillAdopted,
    owed: { 'zrh-3': 3 },
  },
  {
    title: 'a copy in it of an object that was adopted',
    apply: (world) => {
      backfillAdopted(world);
      recordCopy(world, 'o', { of: O, to: 'zrh-3' });
    },
    owed: { 'zrh-3': 2 },
  },
  {
    title: "a duplicate's copy in it that was set aside and replaced",
    apply: (world) => {
      addSite(world, 'zurich', 'zrh-3');
      const object = objectOf('a', 'zurich', positionOf(1, 2n), 3);
      put(world, 'zrh-3', 'a', object);
      const placements = [placementOf('zrh-3', 'a', object)];
      settle(world, 1, {
        outcome: 'duplicate',
        data: { ...judged('a', 'zurich'), of: A, placements },
      });
      setAside(world, 'zrh-3', 'a');
      copy(world, 'a', ZRH_3);
    },
    owed: { 'zrh-3': 2 },
  },
  {
    title: 'custody events of two regions, each numbered by itself',
    apply: (world) => {
      addSite(world, 'moscow', 'mow-2');
      copy(world, 'b', { from: 'mow-1', to: 'mow-2' });
      recordCopy(world, 'b', {
        of: 'log-1/threat.samples/0/1',
        to: 'mow-2',
        region: 'moscow',
      });
      pay(world);
    },
    owed: {},
  },
];

describe('what a site may have', () => {
  it.each(states)('$title: no difference, opened or not', async ({ apply, owed }) => {
    const world = sampleWorld();
    apply(world);
    const { open: _, ...closed } = depsOf(world);
    const reports = [await reconcile(depsOf(world)), await reconcile(closed)];
    expect(reports.map(({ differences }) => differences.list)).toEqual([[], []]);
    const total = Object.values(owed).reduce((sum, copies) => sum + copies, 0);
    expect(reports.map((report) => report.owed)).toEqual([
      { total, bySite: owed },
      { total, bySite: owed },
    ]);
  });

  it('opens copies with the context of the record that wrote them', async () => {
    const world = sampleWorld();
    backfillAdopted(world);
    recordCopy(world, 'o', { of: O, to: 'zrh-3' });
    expect(await reconcile(depsOf(world))).toMatchObject({ opened: 8, storedChecked: 4 });
  });

  it('a paid copy of another ciphertext is reported, though its event names the right one', async () => {
    const world = sampleWorld();
    pay(world);
    put(world, 'zrh-2', 'o', objectOf('o', 'zurich', positionOf(0, 4n), 7));
    expect((await reconcile(depsOf(world))).differences.byCode).toEqual({
      METADATA_DIFFERS: 1,
      CIPHERTEXT_DIFFERS: 1,
    });
  });

  it('an event that does not count claims no object', async () => {
    const world = sampleWorld();
    backfill(world);
    flip(world, 'zrh-3', 'a');
    const other = placementOf('zrh-3', 'a', objectOf('a', 'zurich', positionOf(0, 0n), 7));
    recordCopy(world, 'a', { of: A, to: 'zrh-3' }, { copy: other });
    expect(await reconcile(depsOf(world))).toMatchObject({
      owed: { bySite: { 'zrh-3': 2 } },
      differences: { byCode: { COPY_DIFFERS: 1, WRONG_REGION: 1 } },
    });
  });

  it('a first event that differs does not make the second one a repetition', async () => {
    const world = sampleWorld();
    storeOwing(world, 'o', 'zurich');
    copy(world, 'o', ZRH_2);
    const other = placementOf('zrh-2', 'o', objectOf('o', 'zurich', positionOf(0, 4n), 7));
    recordCopy(world, 'o', { of: O, to: 'zrh-2' }, { copy: other });
    recordCopy(world, 'o', { of: O, to: 'zrh-2' });
    expect(await reconcile(depsOf(world))).toMatchObject({
      owed: { total: 0 },
      differences: { byCode: { COPY_DIFFERS: 1 } },
    });
  });

  it('two mistakes of one event are both reported', async () => {
    const world = sampleWorld();
    recordCopy(
      world,
      'a',
      { of: A, to: 'zrh-2' },
      { from: 'mow-1', previous: sha256(Buffer.from('x')) },
    );
    expect((await reconcile(depsOf(world))).differences.byCode).toEqual({
      CUSTODY_CHAIN_BROKEN: 1,
      WRONG_REGION: 1,
    });
  });
});

describe('a site that a policy version adds while the run reads', () => {
  /** Deps that know `zrh-3` only after they were asked to learn it. */
  function learning(deps: ReconcileDeps, asked: string[] = []): ReconcileDeps {
    return {
      ...deps,
      regions: () =>
        new Map(
          [...deps.regions()].map(([region, sites]) => [
            region,
            new Set([...sites].filter((site) => site !== 'zrh-3' || asked.includes(site))),
          ]),
        ),
      learnSite: async (site) => {
        asked.push(site);
      },
    };
  }

  it.each([true, false])('is learned for a copy in it, its event read: %s', async (event) => {
    const world = sampleWorld();
    backfill(world);
    setAside(world, 'zrh-3', 'a');
    if (event) recordCopy(world, 'a', { of: A, to: 'zrh-3' });
    const asked: string[] = [];
    expect((await reconcile(learning(depsOf(world), asked))).differences.list).toEqual([]);
    expect(asked).toContain('zrh-3');
    const never = { ...learning(depsOf(world)), learnSite: () => Promise.resolve() };
    expect((await reconcile(never)).differences.byCode).toMatchObject({
      WRONG_REGION: event ? 2 : 1,
      FOREIGN_OBJECT: 1,
    });
  });

  it('is not asked for if all sites are known', async () => {
    const world = sampleWorld();
    pay(world);
    const asked: string[] = [];
    await reconcile(learning(depsOf(world), asked));
    expect(asked).toEqual([]);
  });
});

describe('the order of reading', () => {
  it('takes custody events before the events, so that an event about a later record is none about an unknown one', async () => {
    const world = emptyWorld();
    store(world, 'a', 'zurich');
    const deps = depsOf(world);
    const order: string[] = [];
    const noting =
      <T extends readonly unknown[], R>(name: string, read: (...args: T) => R) =>
      (...args: T): R => {
        order.push(name);
        return read(...args);
      };
    const { trail } = deps;
    await reconcile({
      ...deps,
      sites: deps.sites.map((site) => ({ ...site, list: noting('list', () => site.list()) })),
      trail: {
        ...trail,
        end: noting('end', () => trail.end()),
        committed: noting('committed', () => trail.committed()),
        custody: noting('custody', () => trail.custody()),
        events: noting('events', () => trail.events()),
        pointers: noting('pointers', () => trail.pointers()),
      },
    });
    expect(order.join(' ')).toBe(
      'list list list end committed custody events pointers committed end events',
    );
  });

  it('leaves a copy whose event comes after the custody log was read to the next run', async () => {
    const world = sampleWorld();
    const of = formatPosition(storeOwing(world, 'o', 'zurich'));
    const deps = depsOf(world);
    const trail = {
      ...deps.trail,
      async *custody() {
        yield* deps.trail.custody();
        // Lost right after it was copied: this run still takes the copy for owed.
        recordCopy(world, 'o', { of, to: 'zrh-2' });
      },
    };
    expect(await reconcile({ ...deps, trail })).toMatchObject({
      owed: { bySite: { 'zrh-2': 1 } },
      differences: { total: 0 },
    });
    expect((await reconcile(deps)).differences.byCode).toEqual({ OBJECT_MISSING: 1 });
  });

  it('reports everything that the custody log says wrongly before it reads the first object', async () => {
    const world = sampleWorld();
    recordCopy(world, 'a', { of: A, to: 'zrh-2' });
    recordCopy(world, 'a', { of: A, to: 'zrh-2' }, { of: 'log-1/threat.samples/0/2' });
    world.custody.get('zurich')?.push(Buffer.from('{}'));
    const codes: string[] = [];
    let surveyed: readonly string[] = [];
    await reconcile(depsOf(world), {
      onDifference: ({ code }) => {
        codes.push(code);
      },
      onSurveyed: () => {
        surveyed = codes.toSorted();
      },
    });
    expect(surveyed).toEqual(['COPIED_TWICE', 'CUSTODY_EVENT_INVALID', 'CUSTODY_OF_UNKNOWN']);
  });
});

describe('a policy that nobody knows', () => {
  it('leaves the sites that owe a copy as the event names them', async () => {
    const world = sampleWorld();
    storeOwing(world, 'o', 'zurich');
    const unknown = {
      ...depsOf(world),
      regions: () => new Map(),
      sitesOf: (_: string, region: string) => (region === 'moscow' ? ['mow-1'] : undefined),
    };
    expect(await reconcile(unknown)).toMatchObject({
      owed: { bySite: { 'zrh-2': 1 } },
      differences: { byCode: { POLICY_UNKNOWN: 3 } },
    });
  });
});
