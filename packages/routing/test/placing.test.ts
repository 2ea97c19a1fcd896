import { CodedError } from '@residency/coded-error';
import { objectKey, submissionId } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { BatchResult } from '@residency/routing';
import {
  MemoryObjectStore,
  RoutingWorld,
  SHIPPED_POLICY,
  submissionEvent,
} from '@residency/testkit';
import { describe, expect, it } from 'vitest';

const { document: policy } = SHIPPED_POLICY;
const NOW = Date.UTC(2026, 0, 1);
const world = (): RoutingWorld => new RoutingWorld().policy(policy).granted(NOW - 1_000);
const KEY = objectKey(submissionId(submissionEvent({ id: 'x' })));

/**
 * Record `index` alone, in a partition of its own, as an attempt has it whose settlement is up to
 * the test.
 */
async function attempt(w: RoutingWorld, index: number, partition = index): Promise<BatchResult> {
  return await w.route(
    {},
    { partition, records: w.records.slice(index, index + 1), previous: null },
  );
}
const position = (index: number, partition = index): string =>
  `log-1/threat.samples/${partition}/${index}`;

function outcomeOf({ settlements, blocked }: BatchResult): string {
  const event = settlements[0]?.event;
  if (event === undefined) return `waits ${blocked?.error.code}`;
  return event.outcome === 'duplicate'
    ? `duplicate of ${event.data.of}`
    : event.outcome === 'quarantined'
      ? `quarantined ${event.data.reason}`
      : event.outcome;
}

function owners(w: RoutingWorld): (string | undefined)[] {
  return ['zrh-1', 'zrh-2'].map((site) => w.memorySite(site).objects.get(KEY)?.metadata.position);
}

const placements = (event: AuditEvent | undefined): unknown =>
  event !== undefined && 'placements' in event.data ? event.data.placements : undefined;

/** A site that fails once, before or after it did its work. */
async function withFailing(
  w: RoutingWorld,
  site: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const store = w.memorySite(site);
  const broken = new MemoryObjectStore(site);
  broken.create = () =>
    Promise.reject(new CodedError({ code: 'SITE_UNREACHABLE', message: 'away', remedy: 'retry' }));
  w.sites.set(site, broken);
  await work();
  w.sites.set(site, store);
}

/**
 * R1 (record 0) stands in both sites and is not settled, zrh-1 comes back empty, and another record
 * of the identity waits elsewhere.
 */
async function lostBeforeSettled(sample = 'harmless'): Promise<RoutingWorld> {
  const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x', sample });
  await attempt(w, 0);
  w.memorySite('zrh-1').objects.clear();
  return w;
}

function unreadable(): CodedError {
  return new CodedError({
    code: 'METADATA_MISSING',
    message: 'no line for these bytes',
    remedy: 'park',
  });
}

/** As a store that shows an object in parts while it is replaced: the first call finds no metadata. */
function onceUnreadable<A extends readonly unknown[], R>(
  call: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  let calls = 0;
  return async (...args) => {
    calls += 1;
    if (calls === 1) throw unreadable();
    return await call(...args);
  };
}

it('an object that could not be read for a moment ends no duplicate as a conflict', async () => {
  const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
  w.settle(await attempt(w, 0));
  const store = w.memorySite('zrh-1');
  store.create = onceUnreadable(store.create.bind(store));
  expect(outcomeOf(await attempt(w, 1))).toBe(`duplicate of ${position(0)}`);
});

describe('an identity ends with exactly one stored event', () => {
  it('if a policy version reverses the order of the sites: it is ignored', async () => {
    const reversed = {
      ...policy,
      version: 2,
      effectiveFrom: new Date(NOW + 1).toISOString(),
      regions: policy.regions.map((region) => ({ ...region, sites: region.sites.toReversed() })),
    };
    const w = world()
      .policy(reversed, NOW)
      .submit(NOW, { id: 'x' })
      .submit(NOW + 2, { id: 'x' });
    await withFailing(w, 'zrh-2', () => attempt(w, 0));
    expect(owners(w)).toEqual([position(0), undefined]);
    expect(outcomeOf(await attempt(w, 1))).toBe('waits OWNER_UNSETTLED');
    expect(outcomeOf(w.settle(await attempt(w, 0)))).toBe('stored');
    expect(outcomeOf(w.settle(await attempt(w, 1)))).toBe(`duplicate of ${position(0)}`);
  });

  it.each([
    ['other sites', ['zrh-8', 'zrh-9']],
    ['a new first site', ['zrh-9', 'zrh-1', 'zrh-2']],
  ])(
    'if a policy version has %s: it is ignored, and nothing is written there',
    async (_, sites) => {
      const other = {
        ...policy,
        version: 2,
        effectiveFrom: new Date(NOW + 1).toISOString(),
        regions: policy.regions.map((region) =>
          region.id === 'zurich' ? { ...region, sites } : region,
        ),
      };
      const w = world()
        .policy(other, NOW)
        .submit(NOW, { id: 'x' })
        .submit(NOW + 2, { id: 'x' });
      for (const site of ['zrh-8', 'zrh-9']) w.sites.set(site, new MemoryObjectStore(site));
      w.settle(await attempt(w, 0));
      expect(outcomeOf(await attempt(w, 1))).toBe(`duplicate of ${position(0)}`);
      expect(['zrh-8', 'zrh-9'].map((site) => w.memorySite(site).objects.size)).toEqual([0, 0]);
    },
  );

  it('if the first site comes back empty before the first record is settled', async () => {
    const w = await lostBeforeSettled();
    expect(outcomeOf(await attempt(w, 1))).toBe('waits OWNER_UNSETTLED');
    expect(outcomeOf(w.settle(await attempt(w, 0)))).toBe(`duplicate of ${position(1)}`);
    const last = w.settle(await attempt(w, 1));
    expect(outcomeOf(last)).toBe('stored');
    expect(placements(last.settlements[0]?.event)).toMatchObject([
      { site: 'zrh-1' },
      { site: 'zrh-2', adopted: { position: position(0), policyDigest: w.policies[0]?.digest } },
    ]);
  });

  it('if the first record was about to commit as stored all the while', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    const inFlight = await attempt(w, 0);
    w.memorySite('zrh-1').objects.clear();
    expect(outcomeOf(await attempt(w, 1))).toBe('waits OWNER_UNSETTLED');
    expect(outcomeOf(w.settle(inFlight))).toBe('stored');
    const last = await attempt(w, 1);
    expect(outcomeOf(last)).toBe(`duplicate of ${position(0)}`);
    expect(placements(last.settlements[0]?.event)).toMatchObject([
      {
        site: 'zrh-1',
        sealedSha256: w.memorySite('zrh-1').objects.get(KEY)?.metadata.sealedSha256,
      },
    ]);
  });

  it('if an older copy of the first site brings back the object of a record that is a duplicate of this one', async () => {
    const w = await lostBeforeSettled();
    await attempt(w, 1);
    w.settle(await attempt(w, 0));
    const [own] = [...w.memorySite('zrh-2').objects.values()];
    if (own !== undefined) w.memorySite('zrh-1').objects.set(KEY, own);
    const last = await attempt(w, 1);
    expect(outcomeOf(last)).toBe('stored');
    expect(placements(last.settlements[0]?.event)).toMatchObject([
      { adopted: { position: position(0) } },
      { adopted: { position: position(0) } },
    ]);
  });

  it('if the first site loses it between two records of one batch: the second waits until the first is settled', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    const store = w.memorySite('zrh-2');
    const create = store.create.bind(store);
    store.create = async (...args) => {
      w.memorySite('zrh-1').objects.clear();
      store.create = create;
      return await create(...args);
    };
    const result = w.settle(await w.route());
    expect([outcomeOf(result), result.blocked?.error.code]).toEqual(['stored', 'OWNER_UNSETTLED']);
    expect(outcomeOf(await w.route({}, { records: w.records.slice(1), previous: 0n }))).toBe(
      `duplicate of ${position(0)}`,
    );
  });

  it('if a later record of its own partition left an object: it cannot have settled', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    await attempt(w, 1, 0);
    w.memorySite('zrh-1').objects.clear();
    const result = await w.route();
    expect(result.settlements.map(({ event }) => event.outcome)).toEqual(['stored', 'duplicate']);
    expect(placements(result.settlements[0]?.event)).toMatchObject([
      { site: 'zrh-1' },
      { site: 'zrh-2', adopted: { position: position(1, 0) } },
    ]);
  });

  it('and a duplicate of a duplicate names the record that is stored', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    w.settle(await attempt(w, 0));
    w.memorySite('zrh-1').objects.clear();
    w.settle(await attempt(w, 1));
    expect(owners(w)).toEqual([position(1), position(0)]);
    expect(outcomeOf(await attempt(w, 2))).toBe(`duplicate of ${position(0)}`);
  });

  it('and names no owner before its sample stands in every site', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    await withFailing(w, 'zrh-2', () => attempt(w, 0));
    expect(outcomeOf(await attempt(w, 1))).toBe('waits OWNER_UNSETTLED');
    await attempt(w, 0);
    expect(outcomeOf(await attempt(w, 1))).toBe(`duplicate of ${position(0)}`);
  });
});

describe('no bytes of a quarantined sample stay', () => {
  it('if the first site lost an object and another sample comes under its id: it waits for a person', async () => {
    const w = world()
      .submit(NOW, { id: 'x' })
      .submit(NOW, { id: 'x', sample: 'other' })
      .submit(NOW, { id: 'x' });
    w.settle(await attempt(w, 0));
    w.memorySite('zrh-1').objects.clear();
    const waiting = await attempt(w, 1);
    expect(outcomeOf(waiting)).toBe('waits SITES_DISAGREE');
    for (const word of [
      'zrh-1',
      'zrh-2',
      position(0),
      position(1),
      KEY,
      'ResidencySitesDisagree.md',
    ])
      expect(waiting.blocked?.error.message).toContain(word);
    expect(waiting.blocked?.error.remedy).toBe('retry');
    // The next true duplicate is no conflict meanwhile.
    expect(outcomeOf(await attempt(w, 2))).toBe('waits SITES_DISAGREE');

    restore(w, 'zrh-2', 'zrh-1');
    expect(outcomeOf(w.settle(await attempt(w, 1)))).toBe('quarantined IDENTITY_CONFLICT');
    expect(outcomeOf(w.settle(await attempt(w, 2)))).toBe(`duplicate of ${position(0)}`);
    expect(owners(w)).toEqual([position(0), position(0)]);
  });

  it('nor does a record that is sent again name one that waits for a person', async () => {
    const w = world()
      .submit(NOW, { id: 'x' })
      .submit(NOW, { id: 'x', sample: 'other' })
      .submit(NOW, { id: 'x', sample: 'other' });
    w.settle(await attempt(w, 0));
    w.memorySite('zrh-1').objects.clear();
    await attempt(w, 1);
    expect(outcomeOf(await attempt(w, 2))).toBe('waits SITES_DISAGREE');
  });

  it('if it is a conflict at the first site, and an earlier attempt left it at a later one', async () => {
    const w = await lostBeforeSettled('other');
    expect(outcomeOf(await attempt(w, 1))).toBe('waits SITES_DISAGREE');
    expect(outcomeOf(await attempt(w, 0))).toBe('waits SITES_DISAGREE');
    restore(w, 'zrh-2', 'zrh-1');
    expect(outcomeOf(w.settle(await attempt(w, 0)))).toBe('stored');
    expect(outcomeOf(w.settle(await attempt(w, 1)))).toBe('quarantined IDENTITY_CONFLICT');
    expect(owners(w)).toEqual([position(0), position(0)]);
  });

  it('and the person may decide for the other one', async () => {
    const w = await lostBeforeSettled('other');
    await attempt(w, 1);
    w.memorySite('zrh-2').objects.clear();
    expect(outcomeOf(w.settle(await attempt(w, 1)))).toBe('stored');
    expect(outcomeOf(w.settle(await attempt(w, 0)))).toBe('quarantined IDENTITY_CONFLICT');
    expect(owners(w)).toEqual([position(1), position(1)]);
  });

  it('if a frozen router wrote it to the first site after it was quarantined', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x', sample: 'other' });
    await attempt(w, 1);
    const late = w.memorySite('zrh-1').objects.get(KEY);
    for (const site of ['zrh-1', 'zrh-2']) w.memorySite(site).objects.clear();
    await attempt(w, 0);
    w.settle(await attempt(w, 1));
    for (const site of ['zrh-1', 'zrh-2']) w.memorySite(site).objects.clear();
    if (late !== undefined) w.memorySite('zrh-1').objects.set(KEY, late);
    expect(outcomeOf(await attempt(w, 0))).toBe('waits SITES_DISAGREE');
    w.memorySite('zrh-1').objects.clear();
    expect(outcomeOf(await attempt(w, 0))).toBe('stored');
  });

  it('if a later site holds an object that nobody can read', async () => {
    const w = world().submit(NOW, { id: 'x' });
    const store = w.memorySite('zrh-2');
    const create = store.create.bind(store);
    store.create = () => Promise.reject(unreadable());
    expect(outcomeOf(await attempt(w, 0))).toBe('waits SITES_DISAGREE');
    store.create = create;
    expect(outcomeOf(await attempt(w, 0))).toBe('stored');
  });

  it('if the first site holds an object that nobody can read, and a later one its own', async () => {
    const w = await lostBeforeSettled();
    const store = w.memorySite('zrh-1');
    store.create = () => Promise.reject(unreadable());
    expect(outcomeOf(await attempt(w, 0))).toBe('waits SITES_DISAGREE');
    expect(outcomeOf(await attempt(w, 1))).toBe('quarantined IDENTITY_CONFLICT');
  });

  it('if the first site holds an object that nobody can read, and a later one its own that was unreadable for a moment', async () => {
    const w = await lostBeforeSettled();
    w.memorySite('zrh-1').create = () => Promise.reject(unreadable());
    const later = w.memorySite('zrh-2');
    later.head = onceUnreadable(later.head.bind(later));
    expect(outcomeOf(await attempt(w, 0))).toBe('waits SITES_DISAGREE');
  });

  it('of another log: its outcome is not known here', async () => {
    const w = world().submit(NOW, { id: 'x' });
    await w.route({}, { log: 'log-0' });
    w.memorySite('zrh-1').objects.clear();
    expect(outcomeOf(await attempt(w, 0))).toBe('waits SITES_DISAGREE');
  });
});

describe('a log that was set back', () => {
  it.each([
    ['another sample', { sample: 'other' }],
    ['another country', { country: 'DE' }],
  ])('is noticed by an object of this very position with %s', async (_, fields) => {
    const before = world().submit(NOW, { id: 'x' });
    await attempt(before, 0);
    for (const emptied of [undefined, 'zrh-1', 'zrh-2']) {
      const w = world().submit(NOW, { id: 'x', ...fields });
      for (const site of ['zrh-1', 'zrh-2'])
        w.sites.set(site, copyOf(before.memorySite(site), site === emptied));
      const error = await attempt(w, 0).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'LOG_REWOUND', remedy: 'stop' });
      expect(String(error)).toContain(position(0));
      expect(String(error)).toContain(emptied === 'zrh-1' ? 'zrh-2' : 'zrh-1');
    }
  });

  it('is noticed by another policy', async () => {
    const before = world().submit(NOW, { id: 'x' });
    await attempt(before, 0);
    const w = new RoutingWorld()
      .policy({ ...policy, notes: ['another'] })
      .granted(NOW - 1_000)
      .submit(NOW, { id: 'x' });
    for (const site of ['zrh-1', 'zrh-2']) w.sites.set(site, before.memorySite(site));
    await expect(attempt(w, 0)).rejects.toMatchObject({ code: 'LOG_REWOUND', remedy: 'stop' });
  });

  it('is noticed at a later site, where another record owns the first', async () => {
    const before = world().submit(NOW, { id: 'x' });
    await attempt(before, 0);
    const w = world()
      .submit(NOW, { id: 'x', sample: 'other' })
      .submit(NOW, { id: 'x', sample: 'third' });
    w.sites.set('zrh-2', copyOf(before.memorySite('zrh-2'), false));
    await expect(attempt(w, 1)).resolves.toMatchObject({
      blocked: { error: { code: 'SITES_DISAGREE' } },
    });
    await expect(attempt(w, 0)).rejects.toMatchObject({ code: 'LOG_REWOUND' });
  });

  it('is noticed by an object of a position that it has not come to', async () => {
    const before = world()
      .submit(NOW, { id: 'a' })
      .submit(NOW, { id: 'b' })
      .submit(NOW, { id: 'x' });
    await attempt(before, 2, 0);
    const w = world().submit(NOW, { id: 'x' });
    for (const site of ['zrh-1', 'zrh-2']) w.sites.set(site, before.memorySite(site));
    await expect(w.route()).rejects.toMatchObject({ code: 'LOG_REWOUND', remedy: 'stop' });
  });

  it('is noticed by an object of a position whose event is about another submission', async () => {
    const before = world().submit(NOW, { id: 'x' });
    await attempt(before, 0, 0);
    const w = world().submit(NOW, { id: 'a' }).submit(NOW, { id: 'x' });
    w.settle(await attempt(w, 0, 0));
    for (const site of ['zrh-1', 'zrh-2']) w.sites.set(site, before.memorySite(site));
    await expect(attempt(w, 1)).rejects.toMatchObject({ code: 'LOG_REWOUND', remedy: 'stop' });
  });

  it('is not what another ciphertext under this position says: an earlier attempt wrote it', async () => {
    const w = world().submit(NOW, { id: 'x' });
    const sealer = {
      seal: async () =>
        await Promise.resolve({
          message: Buffer.from('earlier'),
          sealedSha256: '1'.repeat(64),
          wrappingKey: 'older-key',
        }),
    };
    await withFailing(w, 'zrh-2', () =>
      w.route({ sealer }, { records: w.records, previous: null }),
    );
    const result = await w.route();
    expect(placements(result.settlements[0]?.event)).toMatchObject([
      { site: 'zrh-1', wrappingKey: 'older-key', sealedSha256: '1'.repeat(64) },
      { site: 'zrh-2', wrappingKey: 'zurich-test-key' },
    ]);
  });
});

function restore(w: RoutingWorld, from: string, to: string): void {
  const object = w.memorySite(from).objects.get(KEY);
  if (object === undefined) throw new Error('Expected an object to copy.');
  w.memorySite(to).objects.set(KEY, object);
}

function copyOf(store: MemoryObjectStore, emptied: boolean): MemoryObjectStore {
  const copy = new MemoryObjectStore(store.site);
  if (!emptied) for (const [key, object] of store.objects) copy.objects.set(key, object);
  return copy;
}
