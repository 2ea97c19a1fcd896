import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { LIMITS, assess } from '@residency/observation';
import type {
  CheckResult,
  LimitName,
  Limits,
  Observed,
  PartitionFacts,
  Snapshot,
} from '@residency/observation';
import { NOW, fine, ledger, partition, published } from './some-snapshot.ts';

/** State and text of every result that is not ok. */
function bad(snapshot: Snapshot): readonly string[] {
  return assess(snapshot)
    .filter(({ state }) => state !== 'ok')
    .map(({ check, state, found, next = '' }) => `${check} ${state}: ${found} ${next}`);
}

const partitions = (...of: readonly PartitionFacts[]): Snapshot =>
  fine({ intake: { known: { at: NOW, partitions: of, transactions: [] } } });

const open = (since: number | undefined): Snapshot =>
  fine({
    intake: {
      known: {
        at: NOW,
        partitions: [],
        transactions: [
          {
            topic: 'threat.samples',
            partition: 3,
            offset: 7n,
            ...(since === undefined ? {} : { since }),
          },
        ],
      },
    },
  });

const leads = (...of: readonly number[]): Snapshot =>
  fine({
    appendTimes: {
      known: of.map((aheadMs, index) => ({ topic: 'residency.policy', partition: index, aheadMs })),
    },
  });

const waiting = { next: 4n, settledUpTo: 4n };

describe('a system', () => {
  it('that is right has a result for each fact, all ok', () => {
    const results = assess(fine());
    expect(results.map(({ check, state }) => `${check} ${state}`)).toEqual([
      'control ok',
      'logs ok',
      'progress ok',
      'transactions ok',
      'append times ok',
      'clock ok',
      'consent view ok',
      'policy ok',
      'copies ok',
      'erasures ok',
      'service router:8080 ok',
    ]);
  });

  it.each<[string, Snapshot, readonly RegExp[]]>([
    [
      'a pause',
      fine({ control: { known: { mode: 'paused', reason: 'r', since: NOW, logLevels: {} } } }),
      [/^control wrong: paused since 2026-11-25T12:00:00.000Z: r .*residency resume/],
    ],
    [
      'a draining',
      fine({ control: { known: { mode: 'draining', reason: 'r', logLevels: {} } } }),
      [/^control wrong: draining: r .*takes nothing/],
    ],
    [
      'copies that a site has lacked for long',
      fine({
        copies: [
          { site: 'zrh-2', owed: 12, forMs: 7_300_000 },
          { site: 'zrh-3', owed: 1, forMs: 1_000 },
        ],
      }),
      [/^copies wrong: zrh-2 lacks 12, the oldest for 2 h .*CopiesOwed/],
    ],
    [
      'orders to erase that have waited for long',
      fine({
        erasures: [
          { region: 'zurich', waiting: 12, forMs: 90_000_000 },
          { region: 'moscow', waiting: 1, forMs: 1_000 },
        ],
      }),
      [/^erasures wrong: zurich: 12 wait, the oldest order for .*ErasureWaiting/],
    ],
    [
      'a topic that was replaced',
      fine({
        topics: { known: [{ topic: 'threat.samples', state: 'replaced', found: 'expected A' }] },
      }),
      [/^logs wrong: threat.samples is another topic .*expected A .*LogReplaced/],
    ],
    [
      'a topic of which it is not known',
      fine({
        topics: {
          known: [
            { topic: 'threat.samples', state: 'same' },
            { topic: 'residency.policy', state: 'unknown' },
          ],
        },
      }),
      [/^logs unknown: .*not known: residency.policy/],
    ],
    [
      'topics before anything was settled',
      fine({ topics: { known: [{ topic: 'threat.samples', state: 'unsettled' }] } }),
      [],
    ],
    [
      'a record that waits within the objective',
      partitions(partition({ ...waiting, oldestAt: NOW - 60_000 })),
      [],
    ],
    [
      'a record that waits longer',
      partitions(partition(), partition({ ...waiting, partition: 1, oldestAt: NOW - 60_001 })),
      [
        /^progress wrong: 5 offsets are not settled, the oldest record waits for 60 s; the objective is 60 s .*routers run/,
      ],
    ],
    [
      'a record that waits while routing is paused',
      {
        ...partitions(partition({ ...waiting, oldestAt: NOW - 90_000, oldest: 'l/t/0/4' })),
        control: { known: { mode: 'paused', reason: 'r', logLevels: {} } },
      },
      [/^control/, /^progress wrong: .*90 s, at l\/t\/0\/4; .*Routing is paused/],
    ],
    [
      'a record that waits since a time that is not known, beside one that is young',
      partitions(
        partition(waiting),
        partition({ ...waiting, partition: 1, oldestAt: NOW - 1_000 }),
      ),
      [/^progress unknown: 5 offsets are not settled; since when is not known/],
    ],
    [
      'a log that lost its end',
      partitions(partition({ next: 10n, settledUpTo: 10n })),
      [/^progress wrong: partition 0 .*lost its end .*ProgressLost/],
    ],
    [
      'a log that dropped what nobody settled',
      partitions(partition({ partition: 2, start: 5n, ...waiting, oldestAt: NOW })),
      [/^progress wrong: partition 2 .*gone/],
    ],
    ['a transaction that just began', open(NOW - 60_000), []],
    [
      'a transaction that stays open',
      open(NOW - 61_000),
      [
        /^transactions wrong: one has been open at offset 7 of partition 3 of threat.samples since 2026-11-25T11:58:59/,
      ],
    ],
    [
      'a transaction open since nobody knows when',
      open(undefined),
      [/^transactions unknown: .*since a time that is not known/],
    ],
    ['append times within their limits', leads(5_000, -30_000), []],
    [
      'append times beyond them',
      leads(86_400_000, 0, -60_000),
      [
        /^append times wrong: those of partition 0 of residency.policy are at least 24 h ahead of this machine's clock/,
        /^append times wrong: those of partition 2 .* at least 60 s behind/,
      ],
    ],
    [
      "a data directory's clock that is not right",
      fine({
        clock: {
          known: { state: 'ahead', lastAt: NOW, error: { code: 'CLOCK_AHEAD', message: 'far' } },
        },
      }),
      [/^clock wrong: ahead of the log .*: CLOCK_AHEAD far/],
    ],
    [
      'a view 30 s behind',
      fine({ consents: { known: { at: NOW, watermark: NOW - 30_000, halted: false } } }),
      [],
    ],
    [
      'views further behind',
      fine({
        consents: { known: { at: NOW, watermark: NOW - 31_000, halted: false } },
        policy: { known: { at: NOW, watermark: NOW - 45_000, versions: [published()] } },
      }),
      [/^consent view wrong: complete up to .*, 31 s ago .*projector/, /^policy wrong: .*45 s ago/],
    ],
    [
      'a view that is halted',
      fine({ consents: { known: { at: NOW, watermark: NOW, halted: true } } }),
      [/^consent view wrong: halted/],
    ],
    [
      'no policy',
      fine({ policy: { known: { at: NOW, watermark: NOW, versions: [] } } }),
      [/^policy wrong: none in force among 0/],
    ],
    [
      'Redis that does not answer',
      fine({ consents: { unknown: { code: 'REDIS_UNREACHABLE', message: 'm' } } }),
      [/^consent view unknown: m/],
    ],
    [
      'Redis that answers with an error',
      fine({ consents: { unknown: { code: 'CONSENT_VIEW_EMPTY', message: 'm' } } }),
      [/^consent view wrong: m/],
    ],
    [
      'a service that is not ready, and one that does not answer',
      fine({
        services: [
          {
            host: 'a:1',
            readiness: {
              known: { ready: false, failed: [{ name: 'routing', detail: 'waits: SITE_BUSY' }] },
            },
          },
          {
            host: 'b:1',
            readiness: { unknown: { code: 'SERVICE_UNREACHABLE', message: 'silent' } },
          },
        ],
      }),
      [/^service a:1 wrong: not ready: routing waits: SITE_BUSY/, /^service b:1 unknown: silent/],
    ],
  ])('with %s', (_, snapshot, expected) => {
    expect(bad(snapshot)).toEqual(
      expected.map((pattern): unknown => expect.stringMatching(pattern)),
    );
  });

  it('with an ignored version is wrong until a valid one is published after it', () => {
    const ignored = { ...published(1, NOW - 5_000), digest: 'another' };
    const log = (...versions: readonly ReturnType<typeof published>[]): Snapshot =>
      fine({ policy: { known: { at: NOW, versions } } });
    expect(bad(log(published(), ignored))).toEqual([
      expect.stringMatching(/^policy wrong: published .* ignored by everybody/),
    ]);
    expect(bad(log(published(), ignored, published(2, NOW - 1_000)))).toEqual([]);
  });
});

const RANK = { ok: 0, unknown: 1, wrong: 2 } as const;
const worst = (results: readonly CheckResult[]): number =>
  Math.max(0, ...results.map(({ state }) => RANK[state]));

const age = fc.integer({ min: 0, max: 2 * 86_400_000 });
const reason = fc.record({
  code: fc.constantFrom('KAFKA_UNREACHABLE', 'NO_ANSWER', 'NEEDED', 'LOG_MISSING', 'ANOTHER'),
  message: fc.string(),
});
const observed = <T>(known: fc.Arbitrary<T>): fc.Arbitrary<Observed<T>> =>
  fc.oneof(
    known.map((value) => ({ known: value })),
    reason.map((value) => ({ unknown: value })),
  );
const partitionFacts = fc
  .record({
    partition: fc.nat(8),
    start: fc.bigInt(0n, 20n),
    end: fc.bigInt(0n, 20n),
    next: fc.bigInt(0n, 20n),
    oldestAt: fc.option(
      age.map((ms) => NOW - ms),
      { nil: undefined },
    ),
  })
  .map(({ oldestAt, ...rest }) => ({
    ...rest,
    settledUpTo: rest.next,
    ...(oldestAt === undefined ? {} : { oldestAt }),
  }));
const transaction = fc
  .record({
    partition: fc.nat(8),
    offset: fc.bigInt(0n, 20n),
    since: fc.option(
      age.map((ms) => NOW - ms),
      { nil: undefined },
    ),
  })
  .map(({ since, ...rest }) => ({
    topic: 'threat.samples' as const,
    ...rest,
    ...(since === undefined ? {} : { since }),
  }));
const snapshots: fc.Arbitrary<Snapshot> = fc.record(
  {
    control: observed(
      fc.record({
        mode: fc.constantFrom('running' as const, 'paused' as const, 'draining' as const),
        logLevels: fc.constant({}),
      }),
    ),
    topics: observed(
      fc.array(
        fc.record({
          topic: fc.constant('threat.samples' as const),
          state: fc.constantFrom(
            'same' as const,
            'replaced' as const,
            'unsettled' as const,
            'unknown' as const,
          ),
        }),
      ),
    ),
    intake: observed(
      fc.record({
        at: fc.constant(NOW),
        partitions: fc.array(partitionFacts),
        transactions: fc.array(transaction),
      }),
    ),
    appendTimes: observed(
      fc.array(
        fc.record({
          topic: fc.constant('threat.samples' as const),
          partition: fc.nat(8),
          aheadMs: fc.integer({ min: -86_400_000, max: 86_400_000 }),
        }),
      ),
    ),
    consents: observed(
      fc.record({
        at: fc.constant(NOW),
        watermark: age.map((ms) => NOW - ms),
        halted: fc.boolean(),
      }),
    ),
    policy: observed(
      fc.record({
        at: fc.constant(NOW),
        watermark: age.map((ms) => NOW - ms),
        versions: fc.constantFrom([], [published()]),
      }),
    ),
    services: fc.array(
      fc.record({
        host: fc.constant('a:1'),
        readiness: observed(fc.record({ ready: fc.boolean(), failed: fc.constant([]) })),
      }),
    ),
  },
  { requiredKeys: [] },
);

/** The facts of a snapshot, and the checks that judge each. */
const CHECKS = {
  control: ['control'],
  topics: ['logs'],
  intake: ['progress', 'transactions'],
  appendTimes: ['append times'],
  consents: ['consent view'],
  policy: ['policy'],
} as const;

describe('properties', () => {
  test('each fact is judged, and one that is not known is never ok', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const results = assess(snapshot);
        for (const [fact, checks] of Object.entries(CHECKS)) {
          const of = snapshot[fact as keyof typeof CHECKS];
          for (const name of checks) {
            const own = results.filter(({ check }) => check === name);
            expect(own.length > 0).toBe(of !== undefined);
            if (of !== undefined && 'unknown' in of)
              expect(own.every(({ state }) => state !== 'ok')).toBe(true);
          }
        }
        const services = results.filter(({ check }) => check.startsWith('service '));
        expect(services.length).toBe(snapshot.services?.length ?? 0);
        for (const [index, { readiness }] of (snapshot.services ?? []).entries())
          if ('unknown' in readiness) expect(services[index]?.state).not.toBe('ok');
      }),
    );
  });

  test('what waits since a time that is not known is never ok', () => {
    fc.assert(
      fc.property(fc.array(partitionFacts), fc.array(transaction), (all, transactions) => {
        const results = assess({ intake: { known: { at: NOW, partitions: all, transactions } } });
        const of = (name: string): number => worst(results.filter(({ check }) => check === name));
        const unknown = {
          progress: all.some(
            ({ settledUpTo, end, oldestAt }) => settledUpTo < end && oldestAt === undefined,
          ),
          transactions: transactions.some(({ since }) => since === undefined),
        };
        expect(unknown.progress && of('progress') === 0).toBe(false);
        expect(unknown.transactions && of('transactions') === 0).toBe(false);
      }),
    );
  });

  test('the same facts seen later are never judged better', () => {
    fc.assert(
      fc.property(snapshots, age, (snapshot, later) => {
        const now = assess(snapshot);
        const then = assess(seenLater(snapshot, later));
        for (const name of new Set(now.map(({ check }) => check)))
          expect(worst(then.filter(({ check }) => check === name))).toBeGreaterThanOrEqual(
            worst(now.filter(({ check }) => check === name)),
          );
      }),
    );
  });

  test('a stricter limit never judges better', () => {
    fc.assert(
      fc.property(
        snapshots,
        fc.constantFrom(...(Object.keys(LIMITS) as LimitName[])),
        fc.nat(86_400),
        (snapshot, name, less) => {
          const { seconds } = LIMITS[name];
          const strict = limitsWith({ [name]: Math.max(0, seconds - less) });
          expect(worst(assess(snapshot, strict))).toBeGreaterThanOrEqual(worst(assess(snapshot)));
        },
      ),
    );
  });
});

function limitsWith(seconds: Readonly<Partial<Record<LimitName, number>>>): Limits {
  return {
    ...LIMITS,
    ...Object.fromEntries(
      Object.entries(seconds).map(([name, value]) => [
        name,
        { ...LIMITS[name as LimitName], seconds: value },
      ]),
    ),
  };
}

/** The same facts, each read so many milliseconds later. */
function seenLater({ intake, consents, policy, ...rest }: Snapshot, ms: number): Snapshot {
  const later = <T extends { readonly at: number }>(fact: Observed<T>): Observed<T> =>
    'unknown' in fact ? fact : { known: { ...fact.known, at: fact.known.at + ms } };
  return {
    ...rest,
    ...(intake === undefined ? {} : { intake: later(intake) }),
    ...(consents === undefined ? {} : { consents: later(consents) }),
    ...(policy === undefined ? {} : { policy: later(policy) }),
  };
}

test.each(Object.keys(LIMITS) as LimitName[])('the limit %s is used by a judgement', (name) => {
  const late = fine({
    intake: {
      known: {
        at: NOW,
        partitions: [partition({ ...waiting, oldestAt: NOW - 3_600_000 })],
        transactions: [
          { topic: 'threat.samples', partition: 0, offset: 4n, since: NOW - 3_600_000 },
        ],
      },
    },
    appendTimes: {
      known: [3_600_000, -3_600_000].map((aheadMs, index) => ({
        topic: 'threat.samples' as const,
        partition: index,
        aheadMs,
      })),
    },
    consents: { known: { at: NOW, watermark: NOW - 3_600_000, halted: false } },
    ledgers: { known: [ledger({ due: { offset: 9n, forMs: 3_600_000 } })] },
    copies: [{ site: 'zrh-2', owed: 3, forMs: 3_600_001 }],
    erasures: [{ region: 'zurich', waiting: 3, forMs: 86_400_001 }],
  });
  const wrongs = (limits: Limits): number =>
    assess(late, limits).filter(({ state }) => state === 'wrong').length;
  expect(wrongs(limitsWith({ [name]: 100_000 }))).toBeLessThan(wrongs(LIMITS));
});
