import { CodedError } from '@residency/coded-error';
import {
  ALL_IN_SERVICE,
  INITIAL_CONTROL,
  RECORD_SET_ASIDE,
  evolveControl,
  objectKey,
  sha256,
  submissionId,
  tombstoneOf,
} from '@residency/contracts';
import type { AuditEvent, ObjectMetadata } from '@residency/contracts';
import type { PolicyDocument } from '@residency/residency';
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
const KEY = objectKey(submissionId(submissionEvent({ id: 'x' })));
const ORDER = '0190a1b2-c3d4-4e5f-8a9b-000000000001';
const SITES = ['zrh-1', 'zrh-2'] as const;
const ERASED = { reason: 'ERASED', erasure: { order: ORDER, region: 'zurich' } };

const withSettleWith = (settleWith: number): PolicyDocument => ({
  ...policy,
  regions: policy.regions.map((region) =>
    region.id === 'zurich' ? { id: 'zurich', sites: [...SITES], settleWith } : region,
  ),
});

/** Record n is in partition n. All have one identity; 0 and 1 one sample. */
function world(document: PolicyDocument = policy): RoutingWorld {
  return new RoutingWorld()
    .policy(document)
    .granted(NOW - 1_000)
    .submit(NOW, { id: 'x' })
    .submit(NOW, { id: 'x' })
    .submit(NOW, { id: 'x', sample: 'other' })
    .submit(NOW, { id: 'x', country: 'FR' });
}

async function attempt(
  w: RoutingWorld,
  index: number,
  overrides: Parameters<RoutingWorld['route']>[0] = {},
): Promise<BatchResult> {
  const records = w.records.slice(index, index + 1);
  return await w.route(overrides, { partition: index, records, previous: null });
}

const position = (index: number): string => `log-1/threat.samples/${index}/${index}`;

function tombstoneIn(w: RoutingWorld, event: AuditEvent | undefined, ...sites: string[]): void {
  if (event?.outcome !== 'stored') throw new Error('Expected a stored event.');
  const { key, bytes, metadata } = tombstoneOf(event, ORDER);
  for (const site of sites) w.memorySite(site).objects.set(key, { metadata, sealed: bytes });
}

/** Record 0 is stored, and these sites have its tombstone. */
async function erased(w: RoutingWorld, ...sites: string[]): Promise<RoutingWorld> {
  w.settle(await attempt(w, 0));
  tombstoneIn(w, w.events.get(position(0)), ...sites);
  return w;
}

const clear = (w: RoutingWorld, site: string): void => {
  w.memorySite(site).objects.clear();
};

const dataOf = ({ settlements: [one], blocked }: BatchResult): unknown =>
  one === undefined ? `waits ${blocked?.error.code}` : one.event.data;

/** Every request to it fails. */
function away(w: RoutingWorld, site: string): void {
  const broken = new MemoryObjectStore(site);
  const fail = async (): Promise<never> => {
    throw new CodedError({ code: 'SITE_UNREACHABLE', message: 'away', remedy: 'retry' });
  };
  broken.create = fail;
  broken.head = fail;
  w.sites.set(site, broken);
}

describe('a record whose identity has a tombstone', () => {
  it.each([
    ['the same sample', 1],
    ['another sample', 2],
    ['another country of the region', 3],
  ])('is refused as erased, with the order and the region: %s', async (_, index) => {
    const w = await erased(world(), ...SITES);
    const result = await attempt(w, index);
    expect(result.settlements[0]?.event.outcome).toBe('refused');
    expect(dataOf(result)).toMatchObject(ERASED);
    expect(dataOf(result)).not.toHaveProperty('sampleSha256');
  });

  it.each([1, 2, 3])('is refused also if only the arbiter has it: record %i', async (index) => {
    expect(dataOf(await attempt(await erased(world(), 'zrh-1'), index))).toMatchObject(ERASED);
  });

  it('is refused if the tombstone names this record itself, also with other metadata', async () => {
    const w = await erased(world(), ...SITES);
    expect(dataOf(await attempt(w, 0))).toMatchObject(ERASED);
    const other = world(withSettleWith(1)).submit(NOW, { id: 'x' });
    const metadata: ObjectMetadata | undefined = w.memorySite('zrh-1').objects.get(KEY)?.metadata;
    if (metadata === undefined) throw new Error('Expected a tombstone.');
    other
      .memorySite('zrh-2')
      .objects.set(KEY, { metadata: { ...metadata, country: 'DE' }, sealed: Buffer.alloc(1) });
    expect(dataOf(await attempt(other, 0))).toMatchObject(ERASED);
  });

  it('is refused if the tombstone names a position that the log does not have', async () => {
    const w = await erased(world(), ...SITES);
    const [tombstone] = w.memorySite('zrh-1').objects.values();
    if (tombstone === undefined) throw new Error('Expected a tombstone.');
    const metadata = { ...tombstone.metadata, position: 'log-1/threat.samples/0/99' };
    w.memorySite('zrh-1').objects.set(KEY, { ...tombstone, metadata });
    expect(dataOf(await attempt(w, 1))).toMatchObject(ERASED);
  });

  it.each([1, 2, 3])(
    'is refused although the arbiter lost its tombstone, and has bytes of it: record %i',
    async (index) => {
      const w = await erased(world(), ...SITES);
      clear(w, 'zrh-1');
      w.settle(await attempt(w, index));
      expect(w.events.get(position(index))?.data).toMatchObject(ERASED);
      // Nobody is a duplicate of it, nor a conflict with it.
      for (const next of [0, 1, 2, 3].filter((one) => one !== index))
        expect(dataOf(await attempt(w, next))).toMatchObject(ERASED);
    },
  );

  it('is refused with all that follow it in its batch, also where the arbiter lost the tombstone', async () => {
    const w = await erased(world(), ...SITES);
    clear(w, 'zrh-1');
    const { settlements } = await w.route({}, { partition: 9 });
    expect(settlements.map(({ event }) => event.data)).toMatchObject([
      ERASED,
      ERASED,
      ERASED,
      ERASED,
    ]);
  });

  it('is refused if the object at the arbiter cannot be read', async () => {
    const w = await erased(world(), ...SITES);
    w.memorySite('zrh-1').others.set(KEY, { sealed: Buffer.from('damaged') });
    expect(dataOf(await attempt(w, 1))).toMatchObject(ERASED);
  });

  it('is refused while another record of it is placed at an arbiter that lost the tombstone', async () => {
    const w = await erased(world(), ...SITES);
    clear(w, 'zrh-1');
    await attempt(w, 1);
    for (const index of [0, 2, 3]) expect(dataOf(await attempt(w, index))).toMatchObject(ERASED);
  });

  it('waits, as before, while the arbiter is away', async () => {
    const w = await erased(world(withSettleWith(1)), ...SITES);
    away(w, 'zrh-1');
    expect(dataOf(await attempt(w, 1))).toBe('waits SITE_UNREACHABLE');
  });
});

describe('an erasure that has begun', () => {
  it('leaves a record of a stored sample a duplicate until the arbiter has the tombstone', async () => {
    const w = await erased(world());
    expect(dataOf(await attempt(w, 1))).toMatchObject({ of: position(0) });
  });

  it('is found by a router that froze between the two sites', async () => {
    const w = world();
    const [first, second] = SITES.map((site) => w.memorySite(site));
    if (first === undefined || second === undefined) throw new Error('Expected two sites.');
    const late = new MemoryObjectStore('zrh-2');
    late.create = async (...object) => {
      // Meanwhile another router stored the record, and a custodian erased it.
      w.sites.set('zrh-2', second);
      await erased(w, ...SITES);
      return await second.create(...object);
    };
    w.sites.set('zrh-2', late);
    expect(dataOf(await attempt(w, 0))).toMatchObject(ERASED);
    for (const { objects } of [first, second])
      expect(objects.get(KEY)?.metadata.erased).toBe(ORDER);
  });
});

describe('a chain of duplicates that leads to an erased sample', () => {
  /** Record 1 is a duplicate of record 0 and has the object at the arbiter. */
  async function chained(): Promise<RoutingWorld> {
    const w = world();
    w.settle(await attempt(w, 0));
    clear(w, 'zrh-1');
    w.settle(await attempt(w, 1));
    expect(w.events.get(position(1))?.data).toMatchObject({ of: position(0) });
    expect(w.memorySite('zrh-1').objects.get(KEY)?.metadata.position).toBe(position(1));
    return w;
  }

  it('ends as erased once the arbiter has the tombstone in the place of its own object', async () => {
    const w = await chained();
    tombstoneIn(w, w.events.get(position(0)), 'zrh-1');
    for (const index of [1, 2, 3]) expect(dataOf(await attempt(w, index))).toMatchObject(ERASED);
  });

  it('stores nothing if the arbiter got the bytes of the duplicate back: its equals are duplicates', async () => {
    const w = await chained();
    const back = w.memorySite('zrh-1').objects.get(KEY);
    tombstoneIn(w, w.events.get(position(0)), ...SITES);
    if (back !== undefined) w.memorySite('zrh-1').objects.set(KEY, back);
    for (const index of [2, 3]) expect(dataOf(await attempt(w, index))).toMatchObject(ERASED);
    // A stored event says whose the identity is, so no other site is asked.
    w.submit(NOW, { id: 'x' });
    const { settlements } = await attempt(w, 4);
    expect(settlements[0]?.event.data).toMatchObject({ of: position(0) });
    expect(settlements[0]?.event.data).not.toHaveProperty('placements');
  });
});

describe('a claim of an erased sample, after the arbiter changed', () => {
  const claimed = (of: string): Parameters<RoutingWorld['route']>[0] => {
    const submission = submissionId(submissionEvent({ id: 'x' }));
    const owner = { of, submission, sampleSha256: sha256(Buffer.from('harmless')), country: 'CH' };
    const zurich = { ...ALL_IN_SERVICE, number: 1, arbiter: 'zrh-2' };
    const services = { zurich: { ...zurich, claims: new Map([[submission, owner]]) } };
    return { control: { read: async () => ({ ...INITIAL_CONTROL, services }) } };
  };

  it.each([
    ['the new arbiter', 'zrh-2', position(0)],
    ['the old one', 'zrh-1', position(0)],
    ['the new arbiter, and nothing explains the claim', 'zrh-2', position(77)],
  ])('makes no duplicate where a site has the tombstone: %s', async (_, site, of) => {
    const w = await erased(world(), site);
    w.memorySite(site === 'zrh-1' ? 'zrh-2' : 'zrh-1').objects.clear();
    for (const index of [1, 2, 3])
      expect(dataOf(await attempt(w, index, claimed(of)))).toMatchObject(ERASED);
  });
});

describe('a record that was set aside', () => {
  it('is quarantined although the identity has a tombstone, which has none of its bytes', async () => {
    for (const index of [0, 1]) {
      const w = await erased(world(), ...SITES);
      const setAside = evolveControl(
        INITIAL_CONTROL,
        { type: RECORD_SET_ASIDE, data: { position: position(index), reason: 'a defect' } },
        0,
      );
      const result = await attempt(w, index, {
        control: { read: async () => setAside },
        sealer: {
          seal: async () => {
            throw new TypeError('a defect');
          },
        },
      });
      expect(dataOf(result)).toMatchObject({ reason: 'UNPROCESSABLE' });
    }
  });
});
