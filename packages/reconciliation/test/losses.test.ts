import { describe, expect, it } from 'vitest';
import { reconcile } from '../src/index.ts';
import { A, BOTH } from './erasure-manipulations.ts';
import { lost } from './loss-manipulations.ts';
import {
  addSite,
  at,
  depsOf,
  erase,
  objectOf,
  order,
  positionOf,
  put,
  recordErasure,
  sampleWorld,
  setAside,
  store,
  submissionOf,
} from './world.ts';

const ERASURE = '00000000-0000-4000-8000-000000000002';

describe('a sample that was given up', () => {
  it('is counted, and no object of it is missing or owed', async () => {
    const world = sampleWorld();
    const before = await reconcile(depsOf(world));
    lost(world);
    addSite(world, 'zurich', 'zrh-3');
    const {
      differences,
      lost: count,
      owed,
      objects,
      storedChecked,
    } = await reconcile(depsOf(world));
    expect([differences.list, count, before.lost]).toEqual([[], 1, 0]);
    // The others owe their copies in zrh-3.
    expect(owed.bySite).toEqual({ 'zrh-3': 1 });
    expect([objects, storedChecked]).toEqual([before.objects - 2, before.storedChecked - 1]);
  });

  it('keeps no record of its identity from being stored anew, once', async () => {
    const world = sampleWorld();
    lost(world);
    store(world, 'a', 'zurich');
    const { differences, alsoIn, lost: count } = await reconcile(depsOf(world));
    expect([differences.list, alsoIn.list, count]).toEqual([[], [], 1]);
    store(world, 'a', 'zurich');
    const again = await reconcile(depsOf(world));
    expect(again.differences.byCode).toMatchObject({ STORED_TWICE: 1 });
  });

  it('is not called stored twice either if the other record was stored before', async () => {
    const world = sampleWorld();
    store(world, 'a', 'zurich');
    expect((await reconcile(depsOf(world))).differences.byCode).toMatchObject({ STORED_TWICE: 1 });
    const kept = BOTH.map((site) => [site, at(world, site, 'a')] as const);
    lost(world);
    for (const [site, object] of kept) put(world, site, 'a', object);
    expect((await reconcile(depsOf(world))).differences.list).toEqual([]);
  });

  it('may have bytes set aside, and an object of a record in flight', async () => {
    const world = sampleWorld();
    setAside(world, 'zrh-2', 'a');
    lost(world);
    world.waiting.set('log-1/threat.samples/0', 1n);
    const next = positionOf(0, BigInt(world.events[0]?.length ?? 0));
    put(world, 'zrh-1', 'a', objectOf('a', 'zurich', next));
    const { differences, inFlight } = await reconcile(depsOf(world));
    expect([differences.list, inFlight]).toEqual([[], 1]);
  });

  it('may be erased, before and after the event of the erasure', async () => {
    const world = sampleWorld();
    lost(world);
    order(world, ['a'], ERASURE);
    erase(world, 'zrh-1', A, ERASURE);
    expect((await reconcile(depsOf(world))).differences.list).toEqual([]);
    erase(world, 'zrh-2', A, ERASURE);
    recordErasure(world, 'a', { of: A, sites: BOTH }, { order: ERASURE });
    const { differences, lost: count } = await reconcile(depsOf(world));
    expect([differences.list, count]).toEqual([[], 0]);
  });

  it('may be given up and sent again while events are read: the next run judges it', async () => {
    const world = sampleWorld();
    const before = structuredClone(world.custody);
    lost(world);
    store(world, 'a', 'zurich');
    store(world, 'b', 'moscow');
    const deps = depsOf(world);
    let readings = 0;
    const custody = async function* (): AsyncGenerator<Buffer> {
      readings += 1;
      if (readings > 1) yield* deps.trail.custody();
      else for (const event of [...before.values()].flat()) yield Buffer.from(event);
    };
    const { differences } = await reconcile({ ...deps, trail: { ...deps.trail, custody } });
    expect(differences.list.filter(({ code }) => code === 'STORED_TWICE')).toMatchObject([
      { submission: submissionOf('b') },
    ]);
  });

  it('is named if its object is there again beside the sample that was stored anew', async () => {
    const world = sampleWorld();
    const object = at(world, 'zrh-1', 'a');
    lost(world);
    store(world, 'a', 'zurich');
    addSite(world, 'zurich', 'zrh-3');
    expect((await reconcile(depsOf(world))).differences.list).toEqual([]);
    put(world, 'zrh-3', 'a', object);
    expect((await reconcile(depsOf(world))).differences.list).toMatchObject([{ site: 'zrh-3' }]);
  });

  it('asks for no order if no control log is read', async () => {
    const world = sampleWorld();
    lost(world);
    world.losses.pop();
    const { losses: _, ...deps } = depsOf(world);
    expect((await reconcile(deps)).differences.list).toEqual([]);
  });
});
