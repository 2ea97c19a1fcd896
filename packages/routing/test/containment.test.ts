import {
  RECORD_SET_ASIDE,
  controlEntry,
  encodeAuditEvent,
  evolveControl,
  INITIAL_CONTROL,
} from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { createRouter } from '@residency/routing';
import type { Batch, BatchResult, CreateResult } from '@residency/routing';
import {
  SALT,
  MemoryObjectStore,
  RoutingWorld,
  SHIPPED_POLICY,
  SOME_CONSENT,
  transparentSealer,
} from '@residency/testkit';
import { describe, expect, it } from 'vitest';

const { document: policy } = SHIPPED_POLICY;
const NOW = Date.UTC(2026, 0, 1);
const LONE = 'c\ud800';
const world = (): RoutingWorld => new RoutingWorld().policy(policy).granted(NOW - 1_000);
const outcomes = ({ settlements }: BatchResult): string[] =>
  settlements.map(({ event: { outcome, data } }) =>
    'reason' in data ? `${outcome} ${data.reason}` : outcome,
  );
const objects = (w: RoutingWorld): number =>
  ['zrh-1', 'zrh-2', 'mow-1'].reduce((sum, site) => sum + w.memorySite(site).objects.size, 0);
const encodable = ({ settlements }: BatchResult): void => {
  for (const { event, audit } of settlements)
    expect(audit.record.value).toEqual(encodeAuditEvent(event));
};

class DefectiveStore extends MemoryObjectStore {
  defective = true;
  override async create(...args: Parameters<MemoryObjectStore['create']>): Promise<CreateResult> {
    if (this.defective) throw new TypeError('a defect');
    return await super.create(...args);
  }
}

/**
 * Writes what it is given, then fails on its own answer, on the flush, or on every later question.
 */
class FailsAfterWriting extends MemoryObjectStore {
  readonly #fails: { readonly create?: boolean; readonly head?: boolean; readonly flush?: boolean };
  constructor(
    site: string,
    fails: { readonly create?: boolean; readonly head?: boolean; readonly flush?: boolean },
  ) {
    super(site);
    this.#fails = fails;
  }
  override async create(...args: Parameters<MemoryObjectStore['create']>): Promise<CreateResult> {
    const result = await super.create(...args);
    if (this.#fails.create === true) throw new TypeError('a defect');
    return result;
  }
  override async head(key: string): ReturnType<MemoryObjectStore['head']> {
    if (this.#fails.head === true) throw new TypeError('a defect');
    return await super.head(key);
  }
  override async flush(): Promise<void> {
    if (this.#fails.flush === true) throw new TypeError('a defect');
    await super.flush();
  }
}

describe("what one record makes throw is that record's fault", () => {
  it('a consent whose terms have no UTF-8 in the view: the samples under it are quarantined before they are sealed, the next goes on', async () => {
    const w = world()
      .consent(NOW - 1, {
        kind: 'granted',
        consentId: 'consent-lone',
        purposes: ['threat-sample-sharing'],
        termsVersion: LONE,
      })
      .submit(NOW, { consent: 'consent-lone' })
      .submit(NOW);
    const result = await w.route();
    expect(outcomes(result)).toEqual(['quarantined UNPROCESSABLE', 'stored']);
    expect(result.settlements[0]?.event.data).toEqual({
      previous: null,
      reason: 'UNPROCESSABLE',
      submission: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    encodable(result);
    expect(objects(w)).toBe(2);
  });

  it('terms too long for an audit event, likewise', async () => {
    const w = world()
      .consent(NOW - 1, {
        kind: 'granted',
        consentId: SOME_CONSENT,
        purposes: ['threat-sample-sharing'],
        termsVersion: 'x'.repeat(20_000),
      })
      .submit(NOW);
    const result = await w.route();
    expect([outcomes(result), objects(w)]).toEqual([['quarantined UNPROCESSABLE'], 0]);
    encodable(result);
  });

  it('headers that make the decoder throw', async () => {
    const w = world().submit(NOW).submit(NOW);
    const [first, second] = w.records;
    const hostile = new Proxy([], {
      get: () => {
        throw new RangeError('a defect');
      },
    });
    const result = await w.route(
      {},
      { records: [{ ...first, headers: hostile } as never, second as never] },
    );
    expect(outcomes(result)).toEqual(['quarantined UNPROCESSABLE', 'stored']);
    expect(result.settlements[0]?.event.data).toEqual({ previous: null, reason: 'UNPROCESSABLE' });
  });

  it.each<[string, Parameters<RoutingWorld['route']>[0]]>([
    [
      'the sealer',
      {
        sealer: {
          seal: async () => {
            throw new TypeError('a defect');
          },
        },
      },
    ],
    [
      'a site',
      {
        sites: {
          store: async () => {
            throw new TypeError('a defect');
          },
        },
      },
    ],
    // Its object is there: a quarantine would leave it without an event.
    [
      'the event of what was stored',
      {
        sealer: {
          seal: async (...args) => ({
            ...(await transparentSealer.seal(...args)),
            wrappingKey: 'k'.repeat(20_000),
          }),
        },
      },
    ],
  ])(
    'an error without a code from %s blocks the partition at the record, and what precedes it settles',
    async (_, overrides) => {
      const w = world()
        .submit(NOW, { consent: 'nobody-ever-gave-it' })
        .submit(NOW)
        .submit(NOW, { id: 'third', consent: 'nobody-ever-gave-it' });
      const result = await w.route(overrides);
      expect(outcomes(result)).toEqual(['refused CONSENT_UNKNOWN']);
      expect(result.blocked).toMatchObject({
        offset: 1n,
        error: { code: 'RECORD_BLOCKED', remedy: 'retry' },
      });
    },
  );

  it('an append time that no date holds blocks, because not even a quarantine could be written', async () => {
    const result = await world()
      .submit(8.64e15 + 1)
      .route();
    expect([result.settlements, result.blocked]).toMatchObject([
      [],
      { offset: 0n, error: { code: 'RECORD_BLOCKED' } },
    ]);
  });

  it('views that throw block without blaming a record', async () => {
    const w = world().submit(NOW);
    const broken = {
      read: async (): Promise<never> => {
        throw new TypeError('a defect');
      },
    };
    for (const overrides of [{ consents: broken }, { policies: broken }])
      expect((await w.route(overrides)).blocked).toMatchObject({
        offset: 0n,
        error: { code: 'VIEW_UNREADABLE', remedy: 'retry' },
      });
  });
});

describe('a record that was set aside', () => {
  const state = (position: string): ControlState =>
    evolveControl(
      INITIAL_CONTROL,
      { type: RECORD_SET_ASIDE, data: { position, reason: 'a defect' } },
      NOW,
    );
  const route = async (
    w: RoutingWorld,
    control: ControlState,
    batch: Partial<Batch> = {},
    sealer = transparentSealer,
  ): Promise<BatchResult> => {
    const router = createRouter({
      limits: { sampleBytes: 100, recordBytes: 10_000, inFlightBytes: 1_000_000 },
      sealer,
      sites: { store: async (site) => w.sites.get(site) as MemoryObjectStore },
      outcomes: w.outcomes,
      watermarkMarginMs: 0,
      ...w.views(),
      control: { read: async () => control },
    });
    return await router({
      log: 'log-1',
      topic: 'threat.samples',
      partition: 0,
      previous: null,
      records: w.records,
      signal: new AbortController().signal,
      ...batch,
    });
  };

  it('is quarantined where it blocks its partition, and the rest of the batch goes on', async () => {
    const w = world()
      .submit(NOW, { country: 'CH' })
      .submit(NOW, { country: 'BR' })
      .submit(NOW, { country: 'CH' });
    w.sites.set('mow-1', new DefectiveStore('mow-1'));
    expect((await route(w, INITIAL_CONTROL)).blocked).toMatchObject({
      offset: 1n,
      error: { code: 'RECORD_BLOCKED' },
    });
    const result = await route(w, state('log-1/threat.samples/0/1'));
    expect([outcomes(result), result.blocked]).toEqual([
      ['stored', 'quarantined UNPROCESSABLE', 'stored'],
      undefined,
    ]);
    expect(result.settlements.map(({ event }) => event.data.previous)).toEqual([null, '0', '1']);
    expect(String(result.settlements[1]?.quarantine?.record.value)).toContain('set aside');
    encodable(result);
  });

  it('is settled as ever where it does not block', async () => {
    const w = world().submit(NOW);
    expect(outcomes(await route(w, state('log-1/threat.samples/0/0')))).toEqual(['stored']);
  });

  it('goes on waiting where it waits for a site or a view', async () => {
    const w = world().submit(NOW);
    w.watermark = NOW;
    expect((await route(w, state('log-1/threat.samples/0/0'))).blocked).toMatchObject({
      error: { code: 'VIEW_BEHIND' },
    });
  });

  it.each<[string, string, MemoryObjectStore]>([
    [
      "the answer of the site that has just written it can't be read",
      'zrh-1',
      new FailsAfterWriting('zrh-1', { create: true }),
    ],
    ['a later site fails, and the first one holds it', 'zrh-2', new DefectiveStore('zrh-2')],
    [
      'the flush fails after all sites hold it',
      'zrh-2',
      new FailsAfterWriting('zrh-2', { flush: true }),
    ],
    [
      "the site can't say whether it holds it",
      'zrh-1',
      new FailsAfterWriting('zrh-1', { create: true, head: true }),
    ],
  ])('goes on waiting, named, where bytes of it may stand: %s', async (_, site, store) => {
    const w = world().submit(NOW, { country: 'CH' }).submit(NOW, { country: 'BR' });
    w.sites.set(site, store);
    const result = await route(w, state('log-1/threat.samples/0/0'));
    expect(result.settlements).toEqual([]);
    expect(result.blocked).toMatchObject({
      offset: 0n,
      error: { code: 'SET_ASIDE_REFUSED', remedy: 'retry', cause: { code: 'RECORD_BLOCKED' } },
    });
    expect(result.blocked?.error.message).toContain('zrh-1');
    expect(result.blocked?.error.message).toContain('log-1/threat.samples/0/0');
  });

  it("goes on waiting where its own event can't be written and its object stands", async () => {
    const w = world().submit(NOW);
    const sealer: typeof transparentSealer = {
      seal: async (...args) => ({
        ...(await transparentSealer.seal(...args)),
        wrappingKey: 'k'.repeat(20_000),
      }),
    };
    expect((await route(w, state('log-1/threat.samples/0/0'), {}, sealer)).blocked).toMatchObject({
      error: { code: 'SET_ASIDE_REFUSED' },
    });
    expect(objects(w)).toBe(2);
  });

  it('is quarantined once a person took its bytes away, though the defect is still there', async () => {
    const w = world().submit(NOW, { country: 'CH' });
    w.sites.set('zrh-2', new DefectiveStore('zrh-2'));
    expect((await route(w, state('log-1/threat.samples/0/0'))).blocked).toMatchObject({
      error: { code: 'SET_ASIDE_REFUSED' },
    });
    w.sites.set('zrh-1', new DefectiveStore('zrh-1'));
    expect(outcomes(await route(w, state('log-1/threat.samples/0/0')))).toEqual([
      'quarantined UNPROCESSABLE',
    ]);
  });

  it('is quarantined where another record holds its identity', async () => {
    const w = world()
      .submit(NOW, { id: 'a', country: 'CH' })
      .submit(NOW, { id: 'a', country: 'CH' });
    const settled = await w.route({}, { records: w.records.slice(0, 1) });
    w.sites.set(
      'zrh-1',
      Object.assign(new DefectiveStore('zrh-1'), { objects: w.memorySite('zrh-1').objects }),
    );
    expect(outcomes(settled)).toEqual(['stored']);
    expect(
      outcomes(
        await route(w, state('log-1/threat.samples/0/1'), {
          previous: 0n,
          records: w.records.slice(1),
        }),
      ),
    ).toEqual(['quarantined UNPROCESSABLE']);
  });

  it('is that one and no other', async () => {
    const w = world().submit(NOW, { country: 'BR' });
    w.sites.set('mow-1', new DefectiveStore('mow-1'));
    for (const other of [
      'log-1/threat.samples/1/0',
      'log-2/threat.samples/0/0',
      'log-1/threat.samples/0/1',
    ]) {
      expect((await route(w, state(other))).blocked).toMatchObject({
        error: { code: 'RECORD_BLOCKED' },
      });
    }
  });

  it('stays so across a pause, is said once, and only of the intake log', () => {
    const said = {
      type: RECORD_SET_ASIDE,
      data: { position: 'log-1/threat.samples/0/1', reason: 'a defect' },
    } as const;
    const after = evolveControl(
      evolveControl(state('log-1/threat.samples/0/1'), said, NOW),
      { type: 'residency.routing.paused.v1', data: { reason: 'x' } },
      NOW,
    );
    expect(after.setAside).toEqual(['log-1/threat.samples/0/1']);
    expect(() =>
      controlEntry(
        { ...said, data: { ...said.data, position: 'log-1/residency.audit/0/1' } },
        'a',
        SALT,
      ),
    ).toThrow(expect.objectContaining({ code: 'INVALID_CONTROL_EVENT' }));
  });
});
