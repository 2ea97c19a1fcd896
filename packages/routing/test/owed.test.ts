import { CodedError } from '@residency/coded-error';
import { INITIAL_CONTROL, objectKey, policyDigest, submissionId } from '@residency/contracts';
import type { PolicyDocument } from '@residency/residency';
import { verifyRegions } from '@residency/routing';
import type { BatchResult, ObjectStore, Sites } from '@residency/routing';
import {
  MemoryObjectStore,
  RoutingWorld,
  SHIPPED_POLICY,
  submissionEvent,
} from '@residency/testkit';
import { describe, expect, it } from 'vitest';

const { document } = SHIPPED_POLICY;
const NOW = Date.UTC(2026, 0, 1);
const KEY = objectKey(submissionId(submissionEvent({ id: 'x' })));

function withSettleWith(
  settleWith: number | undefined,
  sites: readonly string[] = ['zrh-1', 'zrh-2'],
): PolicyDocument {
  return {
    ...document,
    regions: document.regions.map((region) =>
      region.id === 'zurich' ? { id: 'zurich', sites, settleWith } : region,
    ),
  };
}

function world(settleWith: number | undefined, sites?: readonly string[]): RoutingWorld {
  const w = new RoutingWorld().policy(withSettleWith(settleWith, sites)).granted(NOW - 1_000);
  for (const site of sites ?? []) w.sites.set(site, new MemoryObjectStore(site));
  return w;
}

/** A site whose requests fail; `persists`: after they were carried out. */
function away(store: MemoryObjectStore, persists = false, remedy: 'retry' | 'stop' = 'retry') {
  const fail = async (): Promise<never> => {
    throw new CodedError({ code: 'SITE_UNREACHABLE', message: 'away', remedy });
  };
  const broken: ObjectStore = {
    site: store.site,
    create: async (key, sealed, metadata) => {
      if (persists) await store.create(key, sealed, metadata);
      return await fail();
    },
    head: fail,
    flush: async () => undefined,
  };
  return broken;
}

async function routeOne(w: RoutingWorld, index = 0): Promise<BatchResult> {
  const records = w.records.slice(index, index + 1);
  return await w.route({}, { partition: index, records, previous: null });
}

function dataOf({ settlements }: BatchResult): Record<string, unknown> {
  const [settlement] = settlements;
  return settlement === undefined
    ? {}
    : { outcome: settlement.event.outcome, ...settlement.event.data };
}

const sitesIn = (result: BatchResult): unknown => {
  const { outcome, placements, owed } = dataOf(result);
  return {
    outcome,
    in: Array.isArray(placements) ? placements.map((each: { site: string }) => each.site) : [],
    owed,
  };
};

describe('a later site that is away', () => {
  it('is owed its copy, if the policy lets the sample be stored without it', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    w.sites.set('zrh-2', away(w.memorySite('zrh-2')));
    expect(sitesIn(await routeOne(w))).toEqual({
      outcome: 'stored',
      in: ['zrh-1'],
      owed: ['zrh-2'],
    });
  });

  it('is owed its copy also if the write arrived and the answer did not', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    const store = w.memorySite('zrh-2');
    w.sites.set('zrh-2', away(store, true));
    expect(sitesIn(await routeOne(w))).toMatchObject({ owed: ['zrh-2'] });
    expect(store.objects.size).toBe(1);
  });

  it('is owed its copy if it cannot even be opened', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    w.sites.delete('zrh-2');
    expect(sitesIn(await routeOne(w))).toMatchObject({ in: ['zrh-1'], owed: ['zrh-2'] });
  });

  it('is waited for if the policy does not say how many sites suffice', async () => {
    const w = world(undefined).submit(NOW, { id: 'x' });
    w.sites.set('zrh-2', away(w.memorySite('zrh-2')));
    const { settlements, blocked } = await routeOne(w);
    expect([settlements.length, blocked?.error.code]).toEqual([0, 'SITE_UNREACHABLE']);
  });

  it('is waited for if too few others have the sample', async () => {
    const w = world(2, ['zrh-1', 'zrh-2', 'zrh-3']).submit(NOW, { id: 'x' });
    w.sites.set('zrh-2', away(w.memorySite('zrh-2')));
    expect(sitesIn(await routeOne(w))).toMatchObject({
      in: ['zrh-1', 'zrh-3'],
      owed: ['zrh-2'],
    });
    const both = world(2, ['zrh-1', 'zrh-2', 'zrh-3']).submit(NOW, { id: 'x' });
    both.sites.set('zrh-2', away(both.memorySite('zrh-2')));
    both.sites.set('zrh-3', away(both.memorySite('zrh-3')));
    expect((await routeOne(both)).blocked?.error.code).toBe('SITE_UNREACHABLE');
  });

  it('stops routing all the same if it is the wrong bucket', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    w.sites.set('zrh-2', away(w.memorySite('zrh-2'), false, 'stop'));
    await expect(routeOne(w)).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'stop' });
  });

  it('does not keep a duplicate from naming an owner that is not settled', async () => {
    const w = world(1).submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    w.sites.set('zrh-2', away(w.memorySite('zrh-2')));
    await routeOne(w, 0);
    expect(dataOf(await routeOne(w, 1))).toMatchObject({
      outcome: 'duplicate',
      of: 'log-1/threat.samples/0/0',
    });
  });

  it('that answers, and does not have the owner yet, is waited for', async () => {
    const w = world(1).submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    const store = w.memorySite('zrh-2');
    w.sites.set('zrh-2', away(store));
    await routeOne(w, 0);
    w.sites.set('zrh-2', store);
    expect((await routeOne(w, 1)).blocked?.error.code).toBe('OWNER_UNSETTLED');
    await routeOne(w, 0);
    expect(dataOf(await routeOne(w, 1))).toMatchObject({ outcome: 'duplicate' });
  });

  it('has the copy as a placement if the record is tried again before it is settled', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    const store = w.memorySite('zrh-2');
    w.sites.set('zrh-2', away(store));
    await routeOne(w);
    w.sites.set('zrh-2', store);
    expect(sitesIn(await routeOne(w))).toEqual({
      outcome: 'stored',
      in: ['zrh-1', 'zrh-2'],
      owed: undefined,
    });
    expect(store.objects.has(KEY)).toBe(true);
  });
});

describe('what suffices to settle an owner suffices to name it', () => {
  it('and what does not, does not', async () => {
    const w = world(2, ['zrh-1', 'zrh-2', 'zrh-3'])
      .submit(NOW, { id: 'x' })
      .submit(NOW, { id: 'x' });
    const stores = ['zrh-2', 'zrh-3'].map((site) => w.memorySite(site));
    for (const store of stores) w.sites.set(store.site, away(store));
    expect((await routeOne(w, 0)).settlements).toEqual([]);
    expect((await routeOne(w, 1)).blocked?.error.code).toBe('OWNER_UNSETTLED');
    const [back] = stores;
    if (back !== undefined) w.sites.set('zrh-2', back);
    expect(sitesIn(await routeOne(w, 0))).toMatchObject({ owed: ['zrh-3'] });
    expect(dataOf(await routeOne(w, 1))).toMatchObject({ outcome: 'duplicate' });
  });
});

describe('a flush that fails', () => {
  const broken = (store: MemoryObjectStore): ObjectStore => ({
    site: store.site,
    create: (key, sealed, metadata) => store.create(key, sealed, metadata),
    head: (key) => store.head(key),
    flush: async () => {
      throw new CodedError({ code: 'SITE_FULL', message: 'full', remedy: 'retry' });
    },
  });

  it('at a later site: the copy is owed, if it may be', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    w.sites.set('zrh-2', broken(w.memorySite('zrh-2')));
    expect(sitesIn(await routeOne(w))).toEqual({
      outcome: 'stored',
      in: ['zrh-1'],
      owed: ['zrh-2'],
    });
  });

  it.each([
    ['the arbiter', 1, 'zrh-1'],
    ['a later site that may not be owed', undefined, 'zrh-2'],
  ])('at %s: the record waits', async (_, settleWith, site) => {
    const w = world(settleWith).submit(NOW, { id: 'x' });
    w.sites.set(site, broken(w.memorySite(site)));
    expect((await routeOne(w)).blocked?.error.code).toBe('SITE_FULL');
  });

  it('at a site that is owed anyway is not even tried', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    const store = away(w.memorySite('zrh-2'));
    w.sites.set('zrh-2', { ...store, flush: () => broken(w.memorySite('zrh-1')).flush() });
    expect(sitesIn(await routeOne(w))).toMatchObject({ outcome: 'stored', owed: ['zrh-2'] });
  });
});

it('an unreadable object at the arbiter is no reason to quarantine while a later site is away', async () => {
  const w = world(1).submit(NOW, { id: 'x' });
  const store = w.memorySite('zrh-1');
  w.sites.set('zrh-1', {
    ...away(store),
    create: async () => {
      throw new CodedError({ code: 'METADATA_MISSING', message: 'none', remedy: 'park' });
    },
  });
  w.sites.set('zrh-2', away(w.memorySite('zrh-2')));
  expect((await routeOne(w)).blocked?.error.code).toBe('OWNER_UNSETTLED');
});

describe('the arbiter that is away', () => {
  it('is always waited for', async () => {
    const w = world(1).submit(NOW, { id: 'x' });
    w.sites.set('zrh-1', away(w.memorySite('zrh-1')));
    const { settlements, blocked } = await routeOne(w);
    expect([settlements.length, blocked?.error.code]).toEqual([0, 'SITE_UNREACHABLE']);
    expect(w.memorySite('zrh-2').objects.size).toBe(0);
  });
});

describe('the start', () => {
  const keys = { newest: () => ({}) };
  const versions = (settleWith?: number) => {
    const policy = withSettleWith(settleWith);
    return [{ document: policy, digest: policyDigest(policy), appendedAt: 0 }];
  };
  const without = (missing: string, remedy: 'retry' | 'stop' = 'retry'): Sites => ({
    store: async (site) => {
      if (site !== missing) return new MemoryObjectStore(site);
      throw new CodedError({ code: 'SITE_UNREACHABLE', message: 'away', remedy });
    },
  });

  it('needs no later site that may be owed', async () => {
    await expect(
      verifyRegions(versions(1), { control: INITIAL_CONTROL, sites: without('zrh-2'), keys }),
    ).resolves.toBeUndefined();
  });

  it.each([
    ['the arbiter', 1, 'zrh-1', 'retry'],
    ['a later site that may not be owed', undefined, 'zrh-2', 'retry'],
    ['the right bucket at a later site', 1, 'zrh-2', 'stop'],
  ] as const)('needs %s', async (_, settleWith, missing, remedy) => {
    await expect(
      verifyRegions(versions(settleWith), {
        control: INITIAL_CONTROL,
        sites: without(missing, remedy),
        keys,
      }),
    ).rejects.toMatchObject({ code: 'SITE_UNREACHABLE' });
  });
});
