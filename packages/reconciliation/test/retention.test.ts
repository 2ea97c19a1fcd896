import {
  ERASURE_ORDERED,
  HOLD_LIFTED,
  HOLD_PLACED,
  INITIAL_CONTROL,
  NAMED_IN_ORDER,
  NO_ERASURES,
  controlEventIn,
  evolveControl,
  formatPosition,
} from '@residency/contracts';
import type { ControlEvent, LogEntry, StoredEvent } from '@residency/contracts';
import { PolicyBook, Retention } from '@residency/reconciliation';
import type { RetentionMode } from '@residency/reconciliation';
import type { PolicyPublished } from '@residency/residency';
import { SALT, SHIPPED_POLICY } from '@residency/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reconcile } from '../src/index.ts';
import { A, erased } from './erasure-manipulations.ts';
import { lost } from './loss-manipulations.ts';
import { depsOf, positionOf, sampleWorld, store, submissionOf } from './world.ts';

const DAY = 24 * 60 * 60 * 1_000;
const NOW = Date.UTC(2026, 10, 30);
const CONSENT = 'consent-0001';

interface Version {
  readonly keepDays?: number;
  /** Days from `NOW`. */
  readonly from?: number;
}

function version(number: number, { keepDays, from = 0 }: Version): PolicyPublished {
  const { document } = SHIPPED_POLICY;
  const effectiveFrom = new Date(NOW + from * DAY).toISOString();
  const regions = document.regions.map((region) =>
    region.id === 'zurich' ? { ...region, keepDays } : region,
  );
  return {
    document: { ...document, version: number, effectiveFrom, regions },
    digest: `${number}`.repeat(64),
    appendedAt: 0,
  };
}

/** A log, and what becomes of appends to it. */
class Log {
  readonly #control: ControlEvent[] = [];
  policies: readonly PolicyPublished[] = [version(1, { keepDays: 30 })];
  fault: 'pass' | 'fail' | 'fail-but-persist' = 'pass';
  /** Samples whose intake records were deleted. */
  #ids = 0;

  get orders() {
    return this.#control.flatMap((event) => (event.type === ERASURE_ORDERED ? [event] : []));
  }

  get named(): readonly string[] {
    return this.orders.flatMap(({ data }) => data.submissions ?? []);
  }

  happened(...events: readonly ControlEvent[]): this {
    this.#control.push(...events);
    return this;
  }

  async run(
    events: readonly (StoredEvent | { readonly erased: StoredEvent })[],
    { mode = 'auto', now = NOW }: { readonly mode?: RetentionMode; readonly now?: number } = {},
  ) {
    const retention = await Retention.begin({
      mode,
      policies: await PolicyBook.open(() => Promise.resolve(this.policies)),
      now: () => Promise.resolve(now),
      erasures: () =>
        Promise.resolve(
          this.#control.reduce((state, event) => evolveControl(state, event, 0), INITIAL_CONTROL)
            .erasures ?? NO_ERASURES,
        ),
      append: async (entries) => {
        await Promise.resolve();
        if (this.fault !== 'fail') this.#append(entries);
        if (this.fault !== 'pass') throw new Error(this.fault);
      },
      act: () => this.#act(),
      salt: () => SALT,
    });
    for (const event of events)
      await ('erased' in event
        ? retention.follow(event.erased, true)
        : retention.follow(event, false));
    return await retention.end();
  }

  #act(): string {
    return `00000000-0000-4000-8000-${String((this.#ids += 1)).padStart(12, '0')}`;
  }

  #append(entries: readonly LogEntry[]): void {
    for (const { record } of entries) {
      const event = controlEventIn({ value: record.value ?? null, headers: record.headers ?? [] });
      if (event !== undefined) this.#control.push(event);
    }
  }
}

function stored(name: string, age: number, region = 'zurich'): StoredEvent {
  return {
    position: positionOf(0, BigInt(Number.parseInt(submissionOf(name).slice(0, 8), 16))),
    at: NOW - age,
    outcome: 'stored',
    data: {
      previous: null,
      submission: submissionOf(name),
      sampleSha256: submissionOf(name),
      sampleBytes: 1,
      verdict: 'malicious',
      country: 'CH',
      consentId: CONSENT,
      termsVersion: '1',
      decision: { region, rule: 'rule', policy: { id: 'p', version: 1, digest: '1'.repeat(64) } },
      placements: [],
    },
  };
}

const OLD = 31 * DAY;
const HOLD = '00000000-0000-4000-9000-000000000001';
const hold = (over: object = { submissions: [submissionOf('a')] }): ControlEvent => ({
  type: HOLD_PLACED,
  data: { act: HOLD, reason: 'case 4711', ...over },
});
const LIFTED: ControlEvent = {
  type: HOLD_LIFTED,
  data: { act: HOLD.replace(/1$/, '2'), hold: HOLD, reason: 'case 4711 is closed' },
};
const byHand = (named: object): ControlEvent => ({
  type: ERASURE_ORDERED,
  data: { act: HOLD.replace(/1$/, '3'), reason: 'request 4711', ...named },
});

describe('a stored sample', () => {
  it.each([
    ['a millisecond before its time is over', 30 * DAY - 1, 0],
    ['at the instant', 30 * DAY, 0],
    ['a millisecond after it', 30 * DAY + 1, 1],
  ])('%s', async (_, age, due) => {
    const log = new Log();
    expect(await log.run([stored('a', age)])).toEqual([
      { region: 'zurich', keepDays: 30, overdue: due, ordered: due, unordered: 0 },
    ]);
    expect(log.named).toHaveLength(due);
  });

  it.each([
    ['in a region without a limit', [stored('a', OLD, 'moscow')], []],
    ['that is erased', [{ erased: stored('a', OLD) }], []],
    ['on hold', [stored('a', OLD)], [hold()]],
    ['of a consent on hold', [stored('a', OLD)], [hold({ consents: [CONSENT] })]],
  ] as const)('%s is not overdue', async (_, events, before) => {
    const log = new Log().happened(...before);
    expect(await log.run(events)).toEqual([expect.objectContaining({ overdue: 0, ordered: 0 })]);
    expect(log.orders).toEqual([]);
  });

  it.each([
    ['its submission', { submissions: [submissionOf('a')] }],
    ['its consent', { consents: [{ consentId: CONSENT, before: '2026-11-30T00:00:00Z' }] }],
  ])('that an order names by %s is overdue, and not ordered again', async (_, named) => {
    const log = new Log().happened(byHand(named));
    expect(await log.run([stored('a', OLD)])).toEqual([
      { region: 'zurich', keepDays: 30, overdue: 1, ordered: 0, unordered: 0 },
    ]);
    expect(log.orders).toHaveLength(1);
  });

  it('is ordered once its hold is lifted', async () => {
    const log = new Log().happened(hold());
    await log.run([stored('a', OLD)]);
    await log.happened(LIFTED).run([stored('a', OLD)]);
    expect(log.named).toEqual([submissionOf('a')]);
  });
});

describe('the policy version in force', () => {
  const none = version(1, {});
  it.each([
    ['has no limit', [none], 0],
    ['lengthens the time', [version(1, { keepDays: 30 }), version(2, { keepDays: 40 })], 0],
    ['takes the limit away', [version(1, { keepDays: 30 }), version(2, {})], 0],
    ['shortens it', [version(1, { keepDays: 90 }), version(2, { keepDays: 30 })], 1],
    ['shortens it tomorrow', [none, version(2, { keepDays: 1, from: 1 })], 0],
    ['lengthens it tomorrow', [version(1, { keepDays: 30 }), version(2, { from: 1 })], 1],
    ['counts a fraction of a day', [version(1, { keepDays: 0.001 })], 1],
  ])('%s', async (_, policies, ordered) => {
    const log = new Log();
    log.policies = policies;
    await log.run([stored('a', OLD)]);
    expect(log.named).toHaveLength(ordered);
  });

  it('is none: nothing is overdue', async () => {
    const log = new Log();
    log.policies = [];
    expect(await log.run([stored('a', OLD)])).toEqual([]);
  });
});

describe('an order', () => {
  it('names the reason, and nobody as its author', async () => {
    const log = new Log();
    await log.run([stored('a', OLD), stored('b', OLD)]);
    expect(log.orders).toEqual([
      {
        type: ERASURE_ORDERED,
        principal: 'retention',
        data: {
          act: expect.any(String),
          region: 'zurich',
          reason: 'kept for 30 days',
          submissions: [submissionOf('a'), submissionOf('b')],
        },
      },
    ]);
  });

  it('is only proposed in propose', async () => {
    const log = new Log();
    expect(await log.run([stored('a', OLD)], { mode: 'propose' })).toEqual([
      { region: 'zurich', keepDays: 30, overdue: 1, ordered: 0, unordered: 1 },
    ]);
    expect(log.orders).toEqual([]);
  });

  it('names no submission twice, also if two stored events have it', async () => {
    const log = new Log();
    await log.run([stored('a', OLD), stored('a', OLD + 1)]);
    expect(log.named).toEqual([submissionOf('a')]);
  });

  it('names no more than an order may, and is given while the log is read', async () => {
    const log = new Log();
    const samples = Array.from({ length: 2 * NAMED_IN_ORDER + 1 }, (_, n) => stored(`${n}`, OLD));
    await log.run(samples);
    expect(log.orders.map(({ data }) => data.submissions?.length)).toEqual([
      NAMED_IN_ORDER,
      NAMED_IN_ORDER,
      1,
    ]);
    expect(new Set(log.named).size).toBe(samples.length);
  });

  it.each(['fail', 'fail-but-persist'] as const)(
    'whose append does %s is reported, keeps nobody from reading on, and is not repeated if it is there',
    async (fault) => {
      const log = new Log();
      log.fault = fault;
      const samples = Array.from({ length: NAMED_IN_ORDER + 1 }, (_, n) => stored(`${n}`, OLD));
      await expect(log.run(samples)).rejects.toThrow(fault);
      log.fault = 'pass';
      await log.run(samples);
      expect(log.named).toHaveLength(samples.length);
      expect(new Set(log.named).size).toBe(samples.length);
    },
  );
});

it('however often it runs, it orders each sample past its time exactly once, and no other', async () => {
  const sample = fc.record({
    name: fc.stringMatching(/^[a-z]{1,2}$/),
    age: fc.integer({ min: 0, max: 60 * DAY }),
    region: fc.constantFrom('zurich', 'moscow'),
    state: fc.constantFrom('stored', 'stored', 'erased', 'held', 'ordered'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(sample, { selector: ({ name }) => name, maxLength: 20 }),
      fc.double({ min: 0, minExcluded: true, max: 90, noNaN: true }),
      fc.array(fc.constantFrom('pass', 'fail', 'fail-but-persist'), { maxLength: 3 }),
      async (samples, keepDays, faults) => {
        const log = new Log();
        log.policies = [version(1, { keepDays })];
        const are = (state: string): readonly string[] =>
          samples.filter((one) => one.state === state).map(({ name }) => submissionOf(name));
        const [held, ordered] = [are('held'), are('ordered')];
        if (held.length > 0) log.happened(hold({ submissions: held }));
        if (ordered.length > 0) log.happened(byHand({ submissions: ordered }));
        const events = samples.map(({ name, age, region, state }) => {
          const event = stored(name, age, region);
          return state === 'erased' ? { erased: event } : event;
        });
        for (const fault of faults) {
          log.fault = fault;
          await log.run(events).catch(() => undefined);
        }
        log.fault = 'pass';
        await log.run(events);
        const due = samples
          .filter(
            ({ age, region, state }) =>
              state === 'stored' && region === 'zurich' && NOW - age + keepDays * DAY < NOW,
          )
          .map(({ name }) => submissionOf(name));
        expect(log.named.toSorted()).toEqual([...due, ...ordered].toSorted());
      },
    ),
  );
});

it('a reconciliation passes on each stored event once, and whether its sample is gone', async () => {
  const world = sampleWorld();
  erased(world);
  const passed = new Map<string, boolean>();
  const report = await reconcile(depsOf(world), {
    onStored: async ({ data: { submission } }, isGone) => {
      await Promise.resolve();
      passed.set(submission, isGone);
    },
  });
  expect(passed.size).toBe(report.events.stored);
  expect([...passed].filter(([, isGone]) => isGone)).toEqual([[submissionOf('a'), true]]);
});

it('a lost sample is gone, and the one that its identity is stored anew as is not', async () => {
  const world = sampleWorld();
  lost(world);
  store(world, 'a', 'zurich');
  const passed: (readonly [position: string, isGone: boolean])[] = [];
  await reconcile(depsOf(world), {
    onStored: async ({ position, data: { submission } }, isGone) => {
      await Promise.resolve();
      if (submission === submissionOf('a')) passed.push([formatPosition(position), isGone]);
    },
  });
  expect(passed).toEqual([
    [A, true],
    [expect.not.stringMatching(`^${A}$`), false],
  ]);
});
