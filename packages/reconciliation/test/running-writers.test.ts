import {
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  auditEventIn,
  custodyEventIn,
  formatPosition,
  objectKey,
  sampleCopied,
  sampleErased,
  storedSample,
} from '@residency/contracts';
import type { Placement, Position } from '@residency/contracts';
import { holding, owedSites } from '@residency/custody';
import type { Holding, SampleCopied, SampleErased } from '@residency/custody';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { defined } from '@residency/defined';
import { reconcile } from '../src/index.ts';
import {
  ORDER,
  PARTITIONS,
  REGIONS,
  addSite,
  at,
  copy,
  depsOf,
  emptyWorld,
  erase,
  judged,
  objectOf,
  order,
  partitionName,
  placementOf,
  positionOf,
  publish,
  put,
  recordCopy,
  recordErasure,
  refuse,
  setAside,
  settle,
  store,
  storeOwing,
  submissionOf,
} from './world.ts';
import type { StoredObject, World } from './world.ts';

/**
 * One intake record. There are few names, so that identities meet in one region, in two, and across
 * partitions.
 */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const record = fc.record({
  name: fc.constantFrom(...NAMES),
  region: fc.constantFrom('zurich', 'moscow', 'refused', 'quarantined'),
  killedAfter: fc.constantFrom(0, 1, 2, 9, 9, 9),
  /** The later site is away: `late`, if the router's PUT arrives after the record was settled. */
  away: fc.constantFrom('', '', 'owed', 'late'),
});
type Intake = typeof record extends fc.Arbitrary<infer R> ? R : never;
const partitions = fc.array(fc.array(record, { minLength: 1, maxLength: 6 }), {
  minLength: PARTITIONS,
  maxLength: PARTITIONS,
});
/** Erased from some moment on, also what is stored later. */
const erasing = fc.record({
  names: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 4 }),
  /** The steps of a writer before the reconciler begins. */
  after: fc.nat({ max: 40 }),
});
const RUNS = { numRuns: 400 };

it('reports no difference while routers run, are killed and repeat and a custodian copies and erases, and nothing in flight or owed after they are done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), partitions, erasing, async (scheduler, intake, erasure) => {
      const { names, after: late } = erasure;
      const world = emptyWorld();
      const pause = () => scheduler.schedule(Promise.resolve());
      addSite(world, 'zurich', 'zrh-3');
      const routers = intake.map((records, partition) => route(world, partition, records, pause));
      const orders = pause().then(() => {
        order(world, names);
      });
      const writers = [
        ...routers,
        orders,
        custodian(world, pause, Promise.all([...routers, orders])),
      ];
      const begin = async (): Promise<void> => {
        for (let step = 0; step < late; step += 1) await pause();
      };
      const report = await scheduler.waitFor(
        begin().then(() => reconcile(depsOf(world, pause), { concurrency: 2 })),
      );
      expect(report.differences.list).toEqual([]);
      await scheduler.waitFor(Promise.all(writers));
      const after = await reconcile(depsOf(world));
      expect(after).toMatchObject({ inFlight: 0, differences: { total: 0 }, owed: { total: 0 } });
      expect(Object.values(after.events).reduce((sum, n) => sum + n)).toBe(intake.flat().length);
    }),
    RUNS,
  );
});

it('finds every fault from before its start, however the routers run', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), partitions, async (scheduler, intake) => {
      const world = emptyWorld();
      addSite(world, 'zurich', 'zrh-3');
      store(world, 'lost', 'zurich');
      refuse(world, 'unwritten');
      const of = formatPosition(storeOwing(world, 'paid', 'zurich'));
      recordCopy(world, 'paid', { of, to: 'zrh-2' });
      world.sites.get('zrh-2')?.delete(objectKey(submissionOf('lost')));
      put(world, 'mow-1', 'unwritten', objectOf('unwritten', 'moscow', positionOf(0, 1n)));
      const pause = () => scheduler.schedule(Promise.resolve());
      const routers = intake.map((records, partition) => route(world, partition, records, pause));
      const writers = [...routers, custodian(world, pause, Promise.all(routers))];
      const { differences } = await scheduler.waitFor(
        reconcile(depsOf(world, pause), { concurrency: 2 }),
      );
      expect(differences.byCode).toEqual({ OBJECT_MISSING: 2, OBJECT_WITHOUT_EVENT: 1 });
      await scheduler.waitFor(Promise.all(writers));
    }),
    RUNS,
  );
});

/** A change between two readings, and the difference that must still be found. */
const meanwhile: readonly {
  readonly title: string;
  readonly after: 'listing' | 'committed';
  readonly act: (world: World) => void;
  readonly byCode: object;
}[] = [
  {
    title: 'an object whose record is refused after the sites were listed',
    after: 'listing',
    act: (world) => refuse(world, 'x'),
    byCode: { OBJECT_WITHOUT_EVENT: 1 },
  },
  {
    title: 'an object whose record is refused after the committed position was read',
    after: 'committed',
    act: (world) => refuse(world, 'x'),
    byCode: { OBJECT_WITHOUT_EVENT: 1 },
  },
  {
    title: 'a record that settles without event after the sites were listed',
    after: 'listing',
    act: (world) => world.committed.set(partitionName(0), 1n),
    byCode: { OBJECT_WITHOUT_EVENT: 1, LAST_EVENT_MISMATCH: 1 },
  },
];

it.each(meanwhile)('finds $title', async ({ after, act, byCode }) => {
  const world = emptyWorld();
  refuse(world, 'first');
  publish(world, 0);
  put(world, 'zrh-1', 'x', objectOf('x', 'zurich', positionOf(0, 1n)));
  const deps = depsOf(world);
  let acted = false;
  const once = (point: typeof after) => {
    if (point === after && !acted) {
      acted = true;
      act(world);
    }
  };
  const sites = deps.sites.map((reader, number) => ({
    ...reader,
    async *list() {
      yield* reader.list();
      if (number === deps.sites.length - 1) once('listing');
    },
  }));
  const committed = async () => {
    const read = await deps.trail.committed();
    once('committed');
    return read;
  };
  const { differences } = await reconcile({ ...deps, sites, trail: { ...deps.trail, committed } });
  expect(differences.byCode).toEqual(byCode);
});

/**
 * A router as in DESIGN §3, one record after the other. After `killedAfter` creations it dies once,
 * and the next owner repeats the record.
 */
async function route(
  world: World,
  partition: number,
  records: readonly Intake[],
  pause: () => Promise<void>,
): Promise<void> {
  // Appended while the run reads: a record is in the log before a router reads it.
  for (const { name, region, killedAfter, away } of records) {
    await pause();
    publish(world, partition);
    await pause();
    if (region === 'quarantined') {
      settle(world, partition, { outcome: 'quarantined', data: { reason: 'UNDECODABLE' } });
      continue;
    }
    if (region === 'refused') {
      refuse(world, name, partition);
      continue;
    }
    const position = positionOf(
      partition,
      (world.committed.get(partitionName(partition)) ?? -1n) + 1n,
    );
    await attempt(world, { name, region, position, number: 1 }, killedAfter, pause);
    const { placements, of, written } = await attempt(
      world,
      { name, region, position, number: 2 },
      away === '' ? Infinity : 1,
      pause,
    );
    await pause();
    if (of === ERASED) {
      const { submission, verdict, consentId } = judged(name, region);
      settle(world, partition, {
        outcome: 'refused',
        data: {
          submission,
          sampleBytes: 1,
          verdict,
          consentId,
          reason: 'ERASED',
          erasure: { order: ORDER, region },
        },
      });
      continue;
    }
    if (of !== undefined) {
      settle(world, partition, { outcome: 'duplicate', data: { ...judged(name, region), of } });
      continue;
    }
    const owed = (REGIONS[region] ?? []).slice(placements.length);
    settle(world, partition, {
      outcome: 'stored',
      data: { ...judged(name, region), placements, ...(owed.length > 0 ? { owed } : {}) },
    });
    if (away === 'late')
      for (const site of owed) {
        await pause();
        if (written !== undefined && find(world, site, name) === undefined)
          put(world, site, name, written);
      }
  }
}

/**
 * Copies within Zurich until the routers are done and nothing is owed: a few copies first, then their
 * events. It is killed once between the two, and its successor begins with the custody log.
 */
async function custodian(
  world: World,
  pause: () => Promise<void>,
  routers: Promise<unknown>,
): Promise<void> {
  let [done, killed, erased] = [false, false, false];
  void routers.then(() => {
    done = true;
  });
  for (;;) {
    await pause();
    const last = done;
    const erasures = erasuresIn(world).slice(0, 2);
    for (const { name, of, sites } of erasures) {
      for (const site of sites) {
        await pause();
        erase(world, site, of);
      }
      await pause();
      // Killed, it puts the same tombstones once more.
      if (erased) recordErasure(world, name, { of, sites });
      erased = true;
    }
    const due = dueIn(world).slice(0, 3);
    if (due.length + erasures.length === 0 && last) return;
    const made = [];
    for (const one of due) made.push(await makeCopy(world, one, pause));
    if (!killed && made.length > 1) {
      killed = true;
      continue;
    }
    for (const { name, of, site, kept } of made) {
      await pause();
      recordCopy(world, name, { of, to: site }, kept === undefined ? {} : { setAside: kept });
    }
  }
}

interface Due {
  readonly of: string;
  readonly name: string;
  readonly from: string;
  readonly site: string;
}

const SITES = ['zrh-1', 'zrh-2', 'zrh-3'];

/** The copies that Zurich's sites owe by the logs. */
function dueIn(world: World): readonly Due[] {
  return heldIn(world).flatMap(({ name, isOrdered, position: of, held }) =>
    isOrdered
      ? []
      : owedSites(held, SITES).map((site) => ({
          of,
          name,
          from: held.copies[0]?.site ?? '',
          site,
        })),
  );
}

/** The sites where ordered samples are not erased by the logs; one of them is late for some. */
function erasuresIn(
  world: World,
): readonly { readonly name: string; readonly of: string; readonly sites: readonly string[] }[] {
  return heldIn(world).flatMap(({ name, isOrdered, position: of, held: { erased } }) => {
    const sites = SITES.filter((site) =>
      erased === undefined ? name > 'c' || site !== 'zrh-3' : !erased.sites.includes(site),
    );
    return isOrdered && sites.length > 0 ? [{ name, of, sites }] : [];
  });
}

function heldIn(world: World): readonly {
  readonly name: string;
  readonly isOrdered: boolean;
  readonly position: string;
  readonly held: Holding;
}[] {
  const about = (world.custody.get('zurich') ?? []).flatMap(
    (bytes): readonly (SampleCopied | SampleErased)[] => {
      const event = custodyEventIn(bytes);
      if (event?.type === SAMPLE_COPIED) return [sampleCopied(event)];
      return event?.type === SAMPLE_ERASED ? [sampleErased(event)] : [];
    },
  );
  return world.events.flat().flatMap((bytes) => {
    const event = auditEventIn(bytes);
    if (event?.outcome !== 'stored' || event.data.decision.region !== 'zurich') return [];
    const stored = storedSample(event);
    const { position, submission } = stored;
    const name = NAMES.find((one) => submissionOf(one) === submission);
    const events = about.filter(({ of }) => of === position);
    const isOrdered = world.orders.some(({ submissions }) => submissions.includes(submission));
    return name === undefined
      ? []
      : [{ name, isOrdered, position, held: holding(stored, events).holding }];
  });
}

async function makeCopy(
  world: World,
  { of, name, from, site }: Due,
  pause: () => Promise<void>,
): Promise<Due & { readonly kept?: ReturnType<typeof setAside> }> {
  await pause();
  const found = find(world, site, name);
  const replaces =
    found !== undefined && !found.bytes.equals(at(world, from, name).bytes) ? found : undefined;
  const kept = replaces === undefined ? undefined : setAside(world, site, name);
  await pause();
  copy(world, name, { from, to: site });
  return { of, name, from, site, ...(kept === undefined ? {} : { kept }) };
}

interface Attempt {
  readonly name: string;
  readonly region: string;
  readonly position: Position;
  readonly number: number;
}

/** In place of the owner: a tombstone has the identity's key. */
const ERASED = 'erased';

/** Returns the objects that it placed before it died, or the owner of the identity. */
async function attempt(
  world: World,
  { name, region, position, number }: Attempt,
  creations: number,
  pause: () => Promise<void>,
): Promise<{
  readonly placements: Placement[];
  readonly of?: string;
  readonly written?: StoredObject;
}> {
  const placements: Placement[] = [];
  let written: StoredObject | undefined;
  for (const site of (REGIONS[region] ?? []).slice(0, creations)) {
    await pause();
    const object = find(world, site, name) ?? objectOf(name, region, position, number);
    put(world, site, name, object);
    if (object.metadata?.['erased'] !== undefined) return { placements, of: ERASED };
    if (object.metadata?.['position'] !== formatPosition(position))
      return { placements, of: String(object.metadata?.['position']) };
    written ??= object;
    placements.push(placementOf(site, name, object));
  }
  return { placements, ...defined({ written }) };
}

function find(world: World, site: string, name: string): StoredObject | undefined {
  return world.sites.get(site)?.get(objectKey(submissionOf(name)));
}
