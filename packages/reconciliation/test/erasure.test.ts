import { NO_ERASURES, objectKey, sha256, tombstoneBytes } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { reconcile } from '../src/index.ts';
import { OrderBook } from '../src/order-book.ts';
import { backfill } from './custody-manipulations.ts';
import { A, BOTH, erased, keepAside } from './erasure-manipulations.ts';
import {
  ORDER,
  addSite,
  depsOf,
  erase,
  objectOf,
  order,
  positionOf,
  publish,
  put,
  recordCopy,
  recordErasure,
  sampleWorld,
  setAside,
  submissionOf,
} from './world.ts';
import type { World } from './world.ts';

const SECOND = '00000000-0000-4000-8000-000000000002';

const states: readonly { readonly title: string; readonly apply: (world: World) => void }[] = [
  { title: 'a sample that was erased', apply: erased },
  {
    title: 'tombstones before their event',
    apply: (world) => {
      order(world, ['a']);
      for (const site of BOTH) erase(world, site, A);
    },
  },
  {
    title: 'a tombstone in one site, and the sample in the other, before the event',
    apply: (world) => {
      order(world, ['a']);
      erase(world, 'zrh-1', A);
    },
  },
  {
    title: 'a sample that was erased in one site, as the other is out of service',
    apply: (world) => {
      order(world, ['a']);
      erase(world, 'zrh-1', A);
      recordErasure(world, 'a', { of: A, sites: ['zrh-1'] });
    },
  },
  {
    title: 'one that the other site lost meanwhile',
    apply: (world) => {
      order(world, ['a']);
      erase(world, 'zrh-1', A);
      recordErasure(world, 'a', { of: A, sites: ['zrh-1'] });
      world.sites.get('zrh-2')?.delete(objectKey(submissionOf('a')));
    },
  },
  {
    title: 'one that was erased in the other site by a later order',
    apply: (world) => {
      order(world, ['a']);
      order(world, ['a'], SECOND);
      erase(world, 'zrh-1', A);
      recordErasure(world, 'a', { of: A, sites: ['zrh-1'] });
      erase(world, 'zrh-2', A, SECOND);
      recordErasure(world, 'a', { of: A, sites: ['zrh-2'] }, { order: SECOND });
    },
  },
  {
    title: 'one of a consent, of a record before its instant',
    apply: (world) => {
      const consents = [{ consentId: 'consent-0001', before: '2024-01-01T00:00:01Z' }];
      world.orders.push({ act: ORDER, at: 0, reason: 'withdrawn', submissions: [], consents });
      for (const site of BOTH) erase(world, site, A);
      recordErasure(world, 'a', { of: A, sites: BOTH });
    },
  },
  {
    title: 'a tombstone in a site of a later version, before its event',
    apply: (world) => {
      erased(world);
      addSite(world, 'zurich', 'zrh-3');
      erase(world, 'zrh-3', A);
    },
  },
  {
    title: 'one in its place of a copy, before and after its event',
    apply: (world) => {
      backfill(world);
      recordCopy(world, 'a', { of: A, to: 'zrh-3' });
      erased(world);
      erase(world, 'zrh-3', A);
      recordErasure(world, 'a', { of: A, sites: ['zrh-3'] });
    },
  },
  {
    title: 'a site of a later version where nobody was owed anything',
    apply: (world) => {
      erased(world);
      addSite(world, 'zurich', 'zrh-3');
    },
  },
  {
    title: 'tombstones under set-aside keys',
    apply: (world) => {
      setAside(world, 'zrh-2', 'a');
      erased(world);
      keepAside(world, 'zrh-1', tombstoneBytes(submissionOf('a'), ORDER));
    },
  },
  {
    title: 'bytes that are set aside in a site where the sample was not erased yet',
    apply: (world) => {
      order(world, ['a']);
      erase(world, 'zrh-1', A);
      recordErasure(world, 'a', { of: A, sites: ['zrh-1'] });
      setAside(world, 'zrh-2', 'a');
    },
  },
  {
    title: 'a tombstone of a record that was settled after the events were read',
    apply: (world) => {
      order(world, ['x']);
      publish(world, 0);
      const bytes = tombstoneBytes(submissionOf('x'), ORDER);
      const object = objectOf('x', 'zurich', positionOf(0, 4n), 0, bytes);
      put(world, 'zrh-1', 'x', { ...object, metadata: { ...object.metadata, erased: ORDER } });
    },
  },
];

describe('what a site may have of an erased sample', () => {
  it.each(states)('$title: no difference, and nothing owed, opened or not', async ({ apply }) => {
    const world = sampleWorld();
    apply(world);
    const { open: _, ...closed } = depsOf(world);
    for (const deps of [depsOf(world), closed]) {
      const { differences, owed } = await reconcile(deps);
      expect([differences.list, owed.bySite]).toEqual([
        [],
        world.added.size === 0 ? {} : { 'zrh-3': 1 },
      ]);
    }
  });

  it('opens no tombstone', async () => {
    const world = sampleWorld();
    erased(world);
    const report = await reconcile(depsOf(world));
    expect(report).toMatchObject({ opened: 3, storedChecked: 3, differences: { total: 0 } });
  });

  it('asks for no order if no control log is read', async () => {
    const world = sampleWorld();
    erased(world);
    world.orders.pop();
    const { erasures: _, ...deps } = depsOf(world);
    expect((await reconcile(deps)).differences.list).toEqual([]);
  });
});

describe('the orders', () => {
  it('are read again for one that is given meanwhile, once for one that nobody gave, and not without an erasure', async () => {
    const world = sampleWorld();
    let readings = 0;
    const deps = {
      ...depsOf(world),
      erasures: async () => {
        readings += 1;
        return { ...NO_ERASURES, orders: readings < 2 ? [] : world.orders };
      },
    };
    await reconcile(deps);
    expect(readings).toBe(0);
    order(world, ['d'], SECOND);
    recordErasure(world, 'a', { of: A, sites: BOTH });
    for (const site of BOTH) erase(world, site, A);
    for (const site of BOTH) erase(world, site, 'log-1/threat.samples/1/1', SECOND);
    const { differences } = await reconcile(deps);
    expect([differences.byCode, readings]).toEqual([{ ERASED_WITHOUT_ORDER: 1 }, 2]);
  });

  it('are read for at most a thousand that nobody gave', async () => {
    let readings = 0;
    const book = new OrderBook({
      erasures: async () => {
        readings += 1;
        return NO_ERASURES;
      },
    });
    for (let act = 0; act < 1_100; act += 1)
      expect(await book.has(sha256(Buffer.from(String(act))))).toBe(false);
    expect(readings).toBe(1_000);
  });
});
