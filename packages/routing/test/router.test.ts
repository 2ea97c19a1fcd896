import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@residency/coded-error';
import { decodeQuarantinePointer, sha256, submissionId } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { BatchResult, CreateResult } from '@residency/routing';
import {
  MemoryObjectStore,
  RoutingWorld,
  SHIPPED_POLICY,
  SOME_CONSENT,
  submissionEvent,
  transparentSealer,
} from '@residency/testkit';
import { describe, expect, it } from 'vitest';

const { document: policy } = SHIPPED_POLICY;
const NOW = Date.UTC(2026, 0, 1);
const world = (): RoutingWorld => new RoutingWorld().policy(policy).granted(NOW - 1_000);

/** Outcome, then reason or region or the position it is a duplicate of. */
const summaryOf = ({ outcome, data }: AuditEvent): string => {
  switch (outcome) {
    case 'stored':
      return `stored ${data.decision.region}`;
    case 'duplicate':
      return `duplicate of ${data.of}`;
    case 'refused':
      return `refused ${data.reason}`;
    case 'quarantined':
      return `quarantined ${data.reason}`;
    default:
      return outcome satisfies never;
  }
};
const outcomes = ({ settlements }: BatchResult): string[] =>
  settlements.map(({ event }) => summaryOf(event));

const down = (): CodedError =>
  new CodedError({
    code: 'SITE_UNREACHABLE',
    message: 'the site does not answer',
    remedy: 'retry',
  });
class BrokenStore extends MemoryObjectStore {
  readonly persists: boolean;
  constructor(site: string, persists: boolean) {
    super(site);
    this.persists = persists;
  }
  override async create(...args: Parameters<MemoryObjectStore['create']>): Promise<CreateResult> {
    if (this.persists) await super.create(...args);
    throw down();
  }
}

describe("a record's one outcome", () => {
  it("is stored in every site of its country's region, and nowhere else", async () => {
    const w = world()
      .submit(NOW, { country: 'CH' })
      .submit(NOW, { country: 'jp' })
      .submit(NOW, { country: 'BR' });
    expect(outcomes(await w.route())).toEqual(['stored zurich', 'stored zurich', 'stored moscow']);
    expect(['zrh-1', 'zrh-2', 'mow-1'].map((site) => w.memorySite(site).objects.size)).toEqual([
      2, 2, 1,
    ]);
  });

  it('says where, under which rule and which policy, and in what bytes', async () => {
    const w = world().submit(NOW, {
      sample: 'abc',
      attributes: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    });
    const event = (await w.route()).settlements[0]?.event;
    const id = submissionId(submissionEvent());
    expect(event).toMatchObject({
      outcome: 'stored',
      at: NOW,
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      data: {
        previous: null,
        submission: id,
        sampleSha256: sha256(Buffer.from('abc')),
        sampleBytes: 3,
        country: 'CH',
        termsVersion: '2021-07',
        consentId: SOME_CONSENT,
        decision: { region: 'zurich', policy: { id: policy.id, version: 1 } },
        placements: [
          {
            site: 'zrh-1',
            key: `samples/${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`,
            wrappingKey: 'zurich-test-key',
          },
          { site: 'zrh-2' },
        ],
      },
    });
  });

  it.each<[string, Parameters<RoutingWorld['submit']>[1]]>([
    ['quarantined UNKNOWN_TYPE', { type: 'threat.sample.submitted.v2' }],
    ['quarantined INVALID_ATTRIBUTE', { attributes: { usercountry: undefined } }],
    ['quarantined INVALID_ATTRIBUTE', { country: '' }],
    ['quarantined INVALID_ATTRIBUTE', { consent: 'short' }],
    ['quarantined INVALID_ATTRIBUTE', { attributes: { verdict: 'harmless' } }],
    ['quarantined INVALID_ATTRIBUTE', { attributes: { samplesha256: 'ABC' } }],
    ['quarantined INVALID_ATTRIBUTE', { attributes: { somethingelse: 'x'.repeat(257) } }],
    ['quarantined INVALID_ATTRIBUTE', { source: `urn:${'x'.repeat(1_024)}` }],
    ['quarantined CLASSIFICATION_UNKNOWN', { attributes: { dataclassification: 'secret' } }],
    ['quarantined EMPTY_SAMPLE', { sample: '' }],
    ['quarantined TOO_LARGE', { sample: Buffer.alloc(16 * 1024 * 1024 + 1) }],
    ['refused CONSENT_UNKNOWN', { consent: 'nobody-ever-gave-it' }],
    ['quarantined COUNTRY_UNKNOWN', { country: 'EU' }],
    ['quarantined COUNTRY_UNKNOWN', { country: 'UK' }],
    ['quarantined COUNTRY_UNKNOWN', { country: 'Switzerland' }],
    ['quarantined COUNTRY_UNKNOWN', { country: ' ' }],
    ['quarantined DIGEST_MISMATCH', { attributes: { samplesha256: sha256(Buffer.from('other')) } }],
  ])('is %s', async (expected, fields) => {
    const w = world().submit(NOW, fields);
    const result = await w.route();
    expect(outcomes(result)).toEqual([expected]);
    expect([...w.sites.keys()].map((site) => w.memorySite(site).objects.size)).toEqual([0, 0, 0]);
    const pointer = result.settlements[0]?.quarantine?.record.value ?? undefined;
    expect(pointer && decodeQuarantinePointer(pointer).reason).toBe(
      expected.startsWith('quarantined') ? expected.split(' ')[1] : undefined,
    );
  });

  it('is UNDECODABLE for what is no CloudEvent, and the next record goes on', async () => {
    const w = world()
      .raw(NOW, { headers: [], value: Buffer.from('noise') })
      .raw(NOW, {
        headers: [['content-type', Buffer.from('application/cloudevents+json')]],
        value: Buffer.from('{'),
      })
      .submit(NOW);
    expect(outcomes(await w.route())).toEqual([
      'quarantined UNDECODABLE',
      'quarantined UNDECODABLE',
      'stored zurich',
    ]);
  });

  it('is judged in the documented order: consent before country before digest', async () => {
    const wrong = { country: 'EU', attributes: { samplesha256: sha256(Buffer.from('other')) } };
    const w = world()
      .submit(NOW, { ...wrong, consent: 'nobody-ever-gave-it' })
      .submit(NOW, wrong);
    expect(outcomes(await w.route())).toEqual([
      'refused CONSENT_UNKNOWN',
      'quarantined COUNTRY_UNKNOWN',
    ]);
  });

  it('keeps nothing of a refused sample, not even its digest', async () => {
    const w = world().submit(NOW, { consent: 'nobody-ever-gave-it' });
    expect(Object.keys((await w.route()).settlements[0]?.event.data ?? {}).toSorted()).toEqual([
      'consentId',
      'previous',
      'reason',
      'sampleBytes',
      'submission',
      'verdict',
    ]);
  });

  it('names the record it redrives, and ignores a header that is no position', async () => {
    const w = world()
      .submit(NOW, { redriveOf: 'log-1/threat.samples/0/7' })
      .submit(NOW, { redriveOf: 'nonsense' });
    expect((await w.route()).settlements.map(({ event }) => event.data.redriveOf)).toEqual([
      'log-1/threat.samples/0/7',
      undefined,
    ]);
  });
});

describe("consent at the record's time", () => {
  it('decides, whatever came before or after', async () => {
    const w = new RoutingWorld()
      .policy(policy)
      .granted(NOW)
      .consent(NOW + 10, { kind: 'withdrawn', consentId: SOME_CONSENT })
      .granted(NOW + 20);
    for (const at of [NOW - 1, NOW, NOW + 9, NOW + 10, NOW + 19, NOW + 20]) w.submit(at);
    expect(outcomes(await w.route())).toEqual([
      'refused CONSENT_UNKNOWN',
      'stored zurich',
      'stored zurich',
      'refused CONSENT_WITHDRAWN',
      'refused CONSENT_WITHDRAWN',
      'stored zurich',
    ]);
  });

  it('is waited for: a record beyond the watermark less the margin is not decided', async () => {
    const w = world()
      .submit(NOW)
      .submit(NOW + 500);
    w.watermark = NOW + 1_001;
    const result = await w.route({ watermarkMarginMs: 1_000 });
    expect(outcomes(result)).toEqual(['stored zurich']);
    expect(result.blocked).toMatchObject({
      offset: 1n,
      error: { code: 'VIEW_BEHIND', remedy: 'retry' },
    });
    w.watermark = NOW + 1_000;
    expect(outcomes(await w.route({ watermarkMarginMs: 1_000 }))).toEqual([]);
  });

  it('that can not be read blocks the batch, and decides nothing', async () => {
    const result = await world()
      .submit(NOW)
      .route({
        consents: {
          read: async () => {
            throw down();
          },
        },
      });
    expect(result).toMatchObject({
      settlements: [],
      blocked: { offset: 0n, error: { code: 'SITE_UNREACHABLE' } },
    });
  });
});

describe("the policy of the record's time", () => {
  const moved = {
    ...policy,
    version: 2,
    effectiveFrom: new Date(NOW + 100).toISOString(),
    rules: policy.rules.map((rule) => ({ ...rule, region: 'moscow' })),
  };

  it('decides under the version in force at T, not the newest', async () => {
    const w = world()
      .policy(moved, NOW)
      .submit(NOW + 99)
      .submit(NOW + 100);
    expect(outcomes(await w.route())).toEqual(['stored zurich', 'stored moscow']);
  });

  it('that is missing blocks instead of guessing', async () => {
    const w = new RoutingWorld().granted(0).submit(NOW);
    expect(await w.route()).toMatchObject({
      settlements: [],
      blocked: { error: { code: 'POLICY_MISSING' } },
    });
  });

  it('that names a site this deployment has not blocks the records of that region only from there on', async () => {
    const w = world().submit(NOW, { country: 'BR' }).submit(NOW);
    w.sites.delete('zrh-1');
    const result = await w.route();
    expect(outcomes(result)).toEqual(['stored moscow']);
    expect(result.blocked).toMatchObject({ offset: 1n, error: { code: 'SITE_NOT_CONFIGURED' } });
    expect(w.memorySite('zrh-2').objects.size).toBe(0);
  });
});

describe('one identity', () => {
  it('sent again is a duplicate naming the first, in one batch or the next', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    expect(outcomes(await w.route())).toEqual([
      'stored zurich',
      'duplicate of log-1/threat.samples/0/0',
    ]);
    w.submit(NOW, { id: 'x' });
    expect(outcomes(await w.route({}, { records: w.records.slice(2), previous: 1n }))).toEqual([
      'duplicate of log-1/threat.samples/0/0',
    ]);
  });

  it.each([
    ['another sample', { sample: 'other' }],
    ['another country of the same region', { country: 'DE' }],
  ])('sent with %s is a conflict', async (_, fields) => {
    const w = world()
      .submit(NOW, { id: 'x' })
      .submit(NOW, { id: 'x', ...fields });
    const result = await w.route();
    expect(outcomes(result)).toEqual(['stored zurich', 'quarantined IDENTITY_CONFLICT']);
    expect(result.settlements[1]?.event.data).toMatchObject({
      of: 'log-1/threat.samples/0/0',
      owner: { sampleSha256: sha256(Buffer.from('harmless')), country: 'CH' },
    });
    expect(w.memorySite('zrh-1').objects.size).toBe(1);
  });

  it('sent for countries of two regions is stored in both', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x', country: 'BR' });
    expect(outcomes(await w.route())).toEqual(['stored zurich', 'stored moscow']);
  });

  it('refused once can be stored once consent is given', async () => {
    const w = new RoutingWorld()
      .policy(policy)
      .granted(NOW)
      .submit(NOW - 1, { id: 'x' })
      .submit(NOW, { id: 'x' });
    expect(outcomes(await w.route())).toEqual(['refused CONSENT_UNKNOWN', 'stored zurich']);
  });

  it('raced for by two writers on two sites ends with one stored, one duplicate, one object a site', async () => {
    for (let round = 0; round < 50; round += 1) {
      const w = world().submit(NOW, { id: 'x' });
      const [a, b] = await Promise.all([
        w.route({}, { partition: 0 }),
        w.route({}, { partition: 1 }),
      ]);
      const [stored, duplicate] = [...outcomes(a), ...outcomes(b)].toSorted().toReversed();
      expect(stored).toBe('stored zurich');
      expect(duplicate).toMatch(/^duplicate of log-1\/threat\.samples\/[01]\/0$/);
      expect(['zrh-1', 'zrh-2', 'mow-1'].map((site) => w.memorySite(site).objects.size)).toEqual([
        1, 1, 0,
      ]);
    }
  });

  it('whose arbiter lost its object still belongs to the record that a later site knows', async () => {
    const w = world().submit(NOW, { id: 'x' });
    w.settle(await w.route());
    w.memorySite('zrh-1').objects.clear();
    w.submit(NOW, { id: 'x' });
    expect(outcomes(await w.route({}, { records: w.records.slice(1), previous: 0n }))).toEqual([
      'duplicate of log-1/threat.samples/0/0',
    ]);
  });

  it('whose object nobody can read is set aside, and the next record goes on', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW);
    const store = w.memorySite('zrh-1');
    const create = store.create.bind(store);
    let unreadable: string | undefined;
    store.create = async (...args) => {
      const [key] = args;
      unreadable ??= key;
      if (key === unreadable)
        throw new CodedError({
          code: 'METADATA_MISSING',
          message: 'no line for these bytes',
          remedy: 'park',
        });
      return await create(...args);
    };
    const result = await w.route();
    expect(outcomes(result)).toEqual(['quarantined IDENTITY_CONFLICT', 'stored zurich']);
    expect(result.settlements[0]?.event.data).not.toHaveProperty('of');
  });
});

describe('a site that fails', () => {
  it('ends the batch before the first record of its region; what precedes it settles', async () => {
    const w = world().submit(NOW, { country: 'BR' }).submit(NOW).submit(NOW, { country: 'BR' });
    w.sites.set('zrh-1', new BrokenStore('zrh-1', false));
    const result = await w.route();
    expect(outcomes(result)).toEqual(['stored moscow']);
    expect(result.blocked).toMatchObject({ offset: 1n, error: { code: 'SITE_UNREACHABLE' } });
  });

  it.each([
    ['failed', false],
    ['failed but persisted', true],
  ])('%s: the next attempt stores under the same position', async (_, persists) => {
    const w = world().submit(NOW);
    const broken = new BrokenStore('zrh-1', persists);
    const healthy = new MemoryObjectStore('zrh-1');
    w.sites.set('zrh-1', broken);
    expect(outcomes(await w.route())).toEqual([]);
    for (const [key, object] of broken.objects) healthy.objects.set(key, object);
    w.sites.set('zrh-1', healthy);
    const settlement = (await w.route()).settlements[0];
    expect(settlement?.event.outcome).toBe('stored');
    expect([healthy.objects.size, w.memorySite('zrh-2').objects.size]).toEqual([1, 1]);
  });

  it('that can not flush settles nothing that relies on it', async () => {
    const w = world().submit(NOW, { country: 'BR' }).submit(NOW);
    w.memorySite('zrh-1').flush = async () => {
      throw down();
    };
    const result = await w.route();
    expect(outcomes(result)).toEqual(['stored moscow']);
    expect(result.blocked?.offset).toBe(1n);
  });

  it('does not let a later record of a blocked identity take its place', async () => {
    const w = world().submit(NOW, { id: 'x' }).submit(NOW, { id: 'x' });
    let calls = 0;
    const store = new MemoryObjectStore('zrh-1');
    const create = store.create.bind(store);
    store.create = async (...args) => {
      calls += 1;
      if (calls === 1) throw down();
      return await create(...args);
    };
    w.sites.set('zrh-1', store);
    expect(outcomes(await w.route())).toEqual([]);
    expect(outcomes(await w.route())).toEqual([
      'stored zurich',
      'duplicate of log-1/threat.samples/0/0',
    ]);
  });

  it("whose marker is another's rejects: a person must look", async () => {
    const w = world().submit(NOW);
    const error = new CodedError({
      code: 'SITE_MARKER_MISMATCH',
      message: 'another site',
      remedy: 'stop',
    });
    await expect(
      w.route({
        sites: {
          store: async () => {
            throw error;
          },
        },
      }),
    ).rejects.toBe(error);
  });

  it('rejects only when no other record of the batch is being written any more', async () => {
    const w = world().submit(NOW).submit(NOW, { country: 'BR' });
    const store = w.memorySite('zrh-1');
    let writing = false;
    const create = store.create.bind(store);
    store.create = async (...args) => {
      writing = true;
      await sleep(20);
      writing = false;
      return await create(...args);
    };
    w.memorySite('mow-1').create = async () => {
      throw new CodedError({
        code: 'SITE_MARKER_MISMATCH',
        message: 'another site',
        remedy: 'stop',
      });
    };
    await expect(w.route()).rejects.toMatchObject({ code: 'SITE_MARKER_MISMATCH' });
    expect([writing, store.objects.size]).toEqual([false, 1]);
  });
});

describe('the chain through the audit log', () => {
  it('names in each event the offset settled before it, from the one the batch was given', async () => {
    const w = world().submit(NOW).submit(NOW, { country: 'EU' }).submit(NOW);
    const result = await w.route({}, { previous: 41n });
    expect(result.settlements.map(({ event }) => event.data.previous)).toEqual(['41', '0', '1']);
  });
});

describe('work in hand', () => {
  it('is bounded by bytes: samples beyond the budget wait for those before them', async () => {
    const w = world();
    for (let n = 0; n < 20; n += 1) w.submit(NOW, { sample: Buffer.alloc(1024 * 1024, n) });
    let inWork = 0;
    let most = 0;
    const seal: typeof transparentSealer.seal = async (sample, context) => {
      inWork += sample.length;
      most = Math.max(most, inWork);
      await new Promise((resolve) => {
        setTimeout(resolve, 2);
      });
      inWork -= sample.length;
      return await transparentSealer.seal(sample, context);
    };
    const limits = {
      sampleBytes: 16 * 1024 * 1024,
      recordBytes: 24 * 1024 * 1024,
      inFlightBytes: 8 * 1024 * 1024,
    };
    expect(outcomes(await w.route({ sealer: { seal }, limits }))).toHaveLength(20);
    expect(most).toBeGreaterThan(1024 * 1024);
    expect(most).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it('lets a single sample larger than the budget through alone', async () => {
    const w = world().submit(NOW, { sample: Buffer.alloc(4096) });
    expect(
      outcomes(
        await w.route({ limits: { sampleBytes: 4096, recordBytes: 10_000, inFlightBytes: 1 } }),
      ),
    ).toEqual(['stored zurich']);
  });

  it('is dropped when the partition is taken away, and nothing of it settles', async () => {
    const w = world().submit(NOW);
    expect(await w.route({}, { signal: AbortSignal.abort() })).toMatchObject({
      settlements: [],
      blocked: { error: { code: 'ROUTING_ABORTED' } },
    });
  });
});
