import {
  ALL_IN_SERVICE,
  INITIAL_CONTROL,
  formatPosition,
  objectKey,
  policyDigest,
  sha256,
  submissionId,
} from '@residency/contracts';
import type { ControlState, ObjectMetadata, RegionService } from '@residency/contracts';
import type { BatchResult } from '@residency/routing';
import {
  MemoryObjectStore,
  RoutingWorld,
  SHIPPED_POLICY,
  exampleObject,
  submissionEvent,
} from '@residency/testkit';
import { describe, expect, it } from 'vitest';

const { document } = SHIPPED_POLICY;
const NOW = Date.UTC(2026, 0, 1);
const SUBMISSION = submissionId(submissionEvent({ id: 'x' }));
const KEY = objectKey(SUBMISSION);
const positionOf = (partition: number): string => `log-1/threat.samples/${partition}/${partition}`;

/** Record n of the world is in partition n. */
const world = (): RoutingWorld =>
  new RoutingWorld()
    .policy(document)
    .granted(NOW - 1_000)
    .submit(NOW, { id: 'x' })
    .submit(NOW, { id: 'x' })
    .submit(NOW, { id: 'x', sample: 'another sample' });

function control(service: Partial<RegionService>): ControlState {
  return { ...INITIAL_CONTROL, services: { zurich: { ...ALL_IN_SERVICE, ...service } } };
}
const SECOND = { number: 1, arbiter: 'zrh-2', out: new Map([['zrh-1', NOW]]) };
const BACK = { number: 1, arbiter: 'zrh-2', out: new Map() };

async function route(w: RoutingWorld, index: number, state: ControlState): Promise<BatchResult> {
  const records = w.records
    .slice(index, index + 1)
    .map((record) => ({ ...record, partition: index }));
  return w.settle(
    await w.route(
      { control: { read: async () => state } },
      { partition: index, records, previous: null },
    ),
  );
}

function told({ settlements: [one], blocked }: BatchResult): Record<string, unknown> {
  if (one === undefined) return { waits: blocked?.error.code };
  const data: Record<string, unknown> = { ...one.event.data };
  const { placements, owed, of, owner, arbiter, reason } = data;
  const sites = Array.isArray(placements)
    ? placements.map((each: { site: string }) => each.site)
    : undefined;
  return JSON.parse(
    JSON.stringify({ outcome: one.event.outcome, in: sites, owed, of, owner, arbiter, reason }),
  ) as Record<string, unknown>;
}

const metadataIn = (w: RoutingWorld, site: string): ObjectMetadata | undefined =>
  w.memorySite(site).objects.get(KEY)?.metadata;

describe('a region whose arbiter changes', () => {
  it('waits, and writes nothing, while the change is open', async () => {
    const w = world();
    const closing = {
      act: 'a',
      site: 'zrh-1',
      next: 'zrh-2',
      reason: 'x',
      since: 1,
      attempts: new Map(),
      ended: new Set<string>(),
    };
    expect(told(await route(w, 0, control({ closing })))).toEqual({ waits: 'ARBITER_CLOSING' });
    expect([metadataIn(w, 'zrh-1'), metadataIn(w, 'zrh-2')]).toEqual([undefined, undefined]);
  });

  it('is written to the sites in service, the new arbiter first, and says the number', async () => {
    const w = world();
    w.sites.delete('zrh-1');
    expect(told(await route(w, 0, control(SECOND)))).toEqual({
      outcome: 'stored',
      in: ['zrh-2'],
      arbiter: 1,
    });
    expect(metadataIn(w, 'zrh-2')).toMatchObject({ position: positionOf(0), arbiter: 1 });
  });

  it('has the former arbiter as a later site once that is back', async () => {
    const w = world();
    expect(told(await route(w, 0, control(BACK)))).toEqual({
      outcome: 'stored',
      in: ['zrh-2', 'zrh-1'],
      arbiter: 1,
    });
  });

  it('has the arbiter also if its policy version does not name that site yet', async () => {
    const w = world();
    const zurich = ['zrh-1', 'zrh-2', 'zrh-3'];
    const regions = document.regions.map((one) =>
      one.id === 'zurich' ? { ...one, sites: zurich } : one,
    );
    w.policy({ ...document, version: 2, effectiveFrom: '2100-01-01T00:00:00Z', regions });
    w.sites.set('zrh-3', new MemoryObjectStore('zrh-3'));
    const third = { number: 1, arbiter: 'zrh-3', out: new Map([['zrh-1', NOW]]) };
    expect(told(await route(w, 0, control(third)))).toMatchObject({
      outcome: 'stored',
      in: ['zrh-3', 'zrh-2'],
    });
    const alone = { ...third, out: new Map([...third.out, ['zrh-2', NOW]]) };
    expect(told(await route(w, 1, control(alone)))).toMatchObject({ outcome: 'duplicate' });
  });

  it('waits while the arbiter is a site that no policy names', async () => {
    const w = world();
    expect(told(await route(w, 0, control({ number: 1, arbiter: 'nobody' })))).toEqual({
      waits: 'ARBITER_UNKNOWN',
    });
  });

  it('writes no number while the arbiter never changed', async () => {
    const w = world();
    expect(told(await route(w, 0, control({ out: new Map([['zrh-2', 1]]) })))).toEqual({
      outcome: 'stored',
      in: ['zrh-1'],
    });
    expect(metadataIn(w, 'zrh-1')).not.toHaveProperty('arbiter');
  });
});

describe('a claim', () => {
  async function claimed(w: RoutingWorld): Promise<ControlState> {
    const first = await route(w, 0, INITIAL_CONTROL);
    expect(told(first)).toMatchObject({ outcome: 'stored' });
    for (const site of ['zrh-1', 'zrh-2']) w.memorySite(site).objects.clear();
    return withClaim(metadataOf(first));
  }
  const metadataOf = ({ settlements: [one] }: BatchResult): { sampleSha256: string } => {
    if (one?.event.outcome !== 'stored') throw new Error('not stored');
    return one.event.data;
  };
  const withClaim = (
    { sampleSha256 }: { readonly sampleSha256: string },
    of = positionOf(0),
  ): ControlState =>
    control({
      ...SECOND,
      claims: new Map([[SUBMISSION, { submission: SUBMISSION, of, sampleSha256, country: 'CH' }]]),
    });

  it("answers as its owner's object would: an equal record is a duplicate, another one a conflict", async () => {
    const w = world();
    const state = await claimed(w);
    expect(told(await route(w, 1, state))).toEqual({ outcome: 'duplicate', of: positionOf(0) });
    expect(told(await route(w, 2, state))).toEqual({
      outcome: 'quarantined',
      reason: 'IDENTITY_CONFLICT',
      of: positionOf(0),
      owner: { sampleSha256: sha256(Buffer.from('harmless')), country: 'CH' },
    });
    expect(metadataIn(w, 'zrh-2')).toBeUndefined();
  });

  it('is looked at before the sample is sealed, and asks once what became of its owner', async () => {
    const w = world();
    const state = await claimed(w);
    const asked: string[] = [];
    const result = await w.route(
      {
        control: { read: async () => state },
        sealer: { seal: () => Promise.reject(new Error('sealed in vain')) },
        outcomes: {
          outcomeOf: async (position) => {
            asked.push(formatPosition(position));
            return await w.outcomes.outcomeOf(position);
          },
        },
      },
      { partition: 1, records: w.records.slice(1, 2), previous: null },
    );
    expect(told(result)).toEqual({ outcome: 'duplicate', of: positionOf(0) });
    expect(asked).toEqual([positionOf(0)]);
  });

  it('of a record that is not settled is for others only: its owner creates the object', async () => {
    const w = world();
    const digest = metadataOf(await w.route({}, { records: w.records.slice(0, 1) }));
    for (const site of ['zrh-1', 'zrh-2']) w.memorySite(site).objects.clear();
    const state = withClaim(digest);
    expect(told(await route(w, 1, state))).toEqual({ outcome: 'duplicate', of: positionOf(0) });
    expect(told(await route(w, 0, state))).toEqual({
      outcome: 'stored',
      in: ['zrh-2'],
      arbiter: 1,
    });
  });

  it('of a record that is settled and stored nothing counts for nothing', async () => {
    const w = world();
    const state = await claimed(w);
    const event = w.events.get(positionOf(0));
    if (event?.outcome !== 'stored') throw new Error('not stored');
    const { submission, sampleBytes, verdict, consentId, previous } = event.data;
    w.events.set(positionOf(0), {
      position: event.position,
      at: event.at,
      outcome: 'refused',
      data: { submission, sampleBytes, verdict, consentId, previous, reason: 'CONSENT_UNKNOWN' },
    });
    expect(told(await route(w, 1, state))).toEqual({
      outcome: 'stored',
      in: ['zrh-2'],
      arbiter: 1,
    });
  });

  it.each([
    ['a position that the log has not reached', 'log-1/threat.samples/0/999'],
    ['a record of another log', 'log-2/threat.samples/0/0'],
  ])('that names %s makes the record wait, and no process end', async (_, of) => {
    const w = world();
    const digest = { sampleSha256: '0'.repeat(64) };
    expect(told(await route(w, 1, withClaim(digest, of)))).toEqual({ waits: 'CLAIM_UNKNOWN' });
  });

  it("lets its owner adopt an equal stranger's object, whose record will be its duplicate", async () => {
    const w = world();
    const stranger = await w.route(
      { control: { read: async () => control({ out: new Map([['zrh-1', 1]]) }) } },
      { partition: 1, records: [{ ...w.records[1], partition: 1 }] as typeof w.records },
    );
    await w.memorySite('zrh-1').flush();
    w.memorySite('zrh-2').objects.clear();
    const held = w.memorySite('zrh-1').objects.get(KEY);
    if (held !== undefined) w.memorySite('zrh-2').objects.set(KEY, held);
    const state = withClaim(metadataOf(stranger));
    expect(told(await route(w, 0, state))).toEqual({
      outcome: 'stored',
      in: ['zrh-2'],
      arbiter: 1,
    });
    expect(told(await route(w, 1, state))).toMatchObject({
      outcome: 'duplicate',
      of: positionOf(0),
    });
  });

  it('names what the record has in the new arbiter as a copy of the duplicate', async () => {
    const w = world();
    const state = await claimed(w);
    const earlier = exampleObject('x');
    await w.memorySite('zrh-2').create(KEY, earlier.sealed, {
      ...earlier.metadata,
      position: positionOf(1),
      sampleSha256: state.services?.['zurich']?.claims.get(SUBMISSION)?.sampleSha256 ?? '',
      country: 'CH',
      policyDigest: policyDigest(document),
    });
    expect(told(await route(w, 1, state))).toEqual({
      outcome: 'duplicate',
      of: positionOf(0),
      in: ['zrh-2'],
    });
  });
});

describe("an object of an earlier arbiter's time in the former arbiter", () => {
  const leave = async (w: RoutingWorld, index: number): Promise<void> => {
    const records = [{ ...w.records[index], partition: index }] as typeof w.records;
    await w.route(
      { control: { read: async () => control({ out: new Map([['zrh-2', 1]]) }) } },
      { partition: index, records, previous: null },
    );
    expect(metadataIn(w, 'zrh-1')).toMatchObject({ position: positionOf(index) });
  };

  it.each([
    ['the same sample', 1],
    ['another sample', 2],
  ])(
    'decides nothing (%s): the record is stored, and the site is owed the copy',
    async (_, other) => {
      const w = world();
      await leave(w, other);
      expect(told(await route(w, 0, control(BACK)))).toEqual({
        outcome: 'stored',
        in: ['zrh-2'],
        owed: ['zrh-1'],
        arbiter: 1,
      });
      expect(metadataIn(w, 'zrh-1')).toMatchObject({ position: positionOf(other) });
    },
  );

  it('makes the record a duplicate if its own record is stored', async () => {
    const w = world();
    await route(w, 1, control({ out: new Map([['zrh-2', 1]]) }));
    expect(told(await route(w, 0, control(BACK)))).toEqual({
      outcome: 'duplicate',
      of: positionOf(1),
      in: ['zrh-2'],
    });
  });

  it('makes the record wait if its own record is stored, with another sample: the arbiter lost that', async () => {
    const w = world();
    await route(w, 2, control({ out: new Map([['zrh-2', 1]]) }));
    expect(told(await route(w, 0, control(BACK)))).toEqual({ waits: 'SITES_DISAGREE' });
    // Equal to the one that waits, whose object is in the arbiter now.
    expect(told(await route(w, 1, control(BACK)))).toEqual({ waits: 'SITES_DISAGREE' });
  });

  it('lets no record of the same batch be a duplicate of the one that waits', async () => {
    const w = world();
    await route(w, 2, control({ out: new Map([['zrh-2', 1]]) }));
    const records = w.records
      .slice(0, 2)
      .map((record, offset) => ({ ...record, offset: BigInt(offset) }));
    const { settlements, blocked } = await w.route(
      { control: { read: async () => control(BACK) } },
      { partition: 0, records, previous: null },
    );
    expect([settlements, blocked?.error.code]).toEqual([[], 'SITES_DISAGREE']);
  });
});
