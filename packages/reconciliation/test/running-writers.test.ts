import { formatPosition, objectKey } from '@residency/contracts';
import type { Placement, Position } from '@residency/contracts';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { reconcile } from '../src/index.ts';
import {
  PARTITIONS,
  REGIONS,
  depsOf,
  emptyWorld,
  judged,
  objectOf,
  partitionName,
  placementOf,
  positionOf,
  publish,
  put,
  refuse,
  settle,
  store,
  submissionOf,
} from './world.ts';
import type { StoredObject, World } from './world.ts';

/**
 * One intake record. There are few names, so that identities meet in one region, in two, and across
 * partitions.
 */
const record = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  region: fc.constantFrom('zurich', 'moscow', 'refused', 'quarantined'),
  killedAfter: fc.constantFrom(0, 1, 2, 9, 9, 9),
});
type Intake = typeof record extends fc.Arbitrary<infer R> ? R : never;
const partitions = fc.array(fc.array(record, { minLength: 1, maxLength: 6 }), {
  minLength: PARTITIONS,
  maxLength: PARTITIONS,
});
const RUNS = { numRuns: 400 };

it('reports no difference while routers run, are killed and repeat, and nothing in flight after they are done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), partitions, async (scheduler, intake) => {
      const world = emptyWorld();
      const pause = () => scheduler.schedule(Promise.resolve());
      const writers = intake.map((records, partition) => route(world, partition, records, pause));
      const report = await scheduler.waitFor(reconcile(depsOf(world, pause), { concurrency: 2 }));
      expect(report.differences.list).toEqual([]);
      await scheduler.waitFor(Promise.all(writers));
      const after = await reconcile(depsOf(world));
      expect(after).toMatchObject({ inFlight: 0, differences: { total: 0 } });
      expect(Object.values(after.events).reduce((sum, n) => sum + n)).toBe(intake.flat().length);
    }),
    RUNS,
  );
});

it('finds every fault from before its start, however the routers run', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), partitions, async (scheduler, intake) => {
      const world = emptyWorld();
      store(world, 'lost', 'zurich');
      refuse(world, 'unwritten');
      world.sites.get('zrh-2')?.delete(objectKey(submissionOf('lost')));
      put(world, 'mow-1', 'unwritten', objectOf('unwritten', 'moscow', positionOf(0, 1n)));
      const pause = () => scheduler.schedule(Promise.resolve());
      const writers = intake.map((records, partition) => route(world, partition, records, pause));
      const { differences } = await scheduler.waitFor(
        reconcile(depsOf(world, pause), { concurrency: 2 }),
      );
      expect(differences.byCode).toEqual({ OBJECT_MISSING: 1, OBJECT_WITHOUT_EVENT: 1 });
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
  for (const { name, region, killedAfter } of records) {
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
    const { placements, of } = await attempt(
      world,
      { name, region, position, number: 2 },
      Infinity,
      pause,
    );
    await pause();
    if (of === undefined)
      settle(world, partition, {
        outcome: 'stored',
        data: { ...judged(name, region), placements },
      });
    else settle(world, partition, { outcome: 'duplicate', data: { ...judged(name, region), of } });
  }
}

interface Attempt {
  readonly name: string;
  readonly region: string;
  readonly position: Position;
  readonly number: number;
}

/** Returns the objects that it placed before it died, or the owner of the identity. */
async function attempt(
  world: World,
  { name, region, position, number }: Attempt,
  creations: number,
  pause: () => Promise<void>,
): Promise<{ readonly placements: Placement[]; readonly of?: string }> {
  const placements: Placement[] = [];
  for (const site of (REGIONS[region] ?? []).slice(0, creations)) {
    await pause();
    const object = find(world, site, name) ?? objectOf(name, region, position, number);
    put(world, site, name, object);
    if (object.metadata?.['position'] !== formatPosition(position))
      return { placements, of: String(object.metadata?.['position']) };
    placements.push(placementOf(site, name, object));
  }
  return { placements };
}

function find(world: World, site: string, name: string): StoredObject | undefined {
  return world.sites.get(site)?.get(objectKey(submissionOf(name)));
}
