import { parseInstant } from '@residency/residency';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ERASURE_ORDERED,
  ErasureIndex,
  HOLD_LIFTED,
  HOLD_PLACED,
  INITIAL_CONTROL,
  NO_ERASURES,
  evolveControl,
} from '../src/index.ts';
import type { ControlEvent, ControlState, ErasableSample, Erasures } from '../src/index.ts';
import { evolveErasures, isErasureEvent } from '../src/erasure-orders.ts';
import { controlEvents, erasureEvents } from './arbitraries.ts';

const SUBMISSION = 'a'.repeat(64);
const CONSENT = 'consent-0001';
const AT = Date.parse('2026-11-02T09:00:00.000Z');
const sample: ErasableSample = { submission: SUBMISSION, consentId: CONSENT, at: AT };
const reason = 'asked by the person';

/** Acts by number, so that a test reads. */
const act = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const erase = (number: number, named: object = { submissions: [SUBMISSION] }): ControlEvent => ({
  type: ERASURE_ORDERED,
  data: { act: act(number), reason, ...named },
});
const eraseConsent = (number: number, before: string): ControlEvent =>
  erase(number, { consents: [{ consentId: CONSENT, before }] });
const hold = (number: number, named: object = { submissions: [SUBMISSION] }): ControlEvent => ({
  type: HOLD_PLACED,
  data: { act: act(number), reason, ...named },
});
const lift = (number: number, held: number): ControlEvent => ({
  type: HOLD_LIFTED,
  data: { act: act(number), hold: act(held), reason },
});

/** Each event at the time that is its place, from 1. */
function after(...events: readonly ControlEvent[]): Erasures {
  const state = events.reduce<ControlState>(
    (before, event, index) => evolveControl(before, event, index + 1),
    INITIAL_CONTROL,
  );
  return state.erasures ?? NO_ERASURES;
}
const indexOf = (...events: readonly ControlEvent[]): ErasureIndex =>
  new ErasureIndex(after(...events));

describe('what the control log says of erasure', () => {
  it('is nothing before the first order or hold', () => {
    const state = evolveControl(
      INITIAL_CONTROL,
      { type: 'residency.routing.resumed.v1', data: {} },
      1,
    );
    expect(state).not.toHaveProperty('erasures');
    expect(new ErasureIndex().orderOf(sample)).toBeUndefined();
    expect(new ErasureIndex(state.erasures).holdOf(sample)).toBeUndefined();
  });

  it('is each order and each hold, with its time and reason', () => {
    expect(after(erase(1), hold(2, { consents: [CONSENT] }), lift(3, 2))).toEqual({
      orders: [{ act: act(1), at: 1, reason, submissions: [SUBMISSION], consents: [] }],
      holds: [{ act: act(2), at: 2, reason, submissions: [], consents: [CONSENT], liftedAt: 3 }],
    });
  });

  it('does not change by an act that was used before', () => {
    const once = after(erase(1), hold(2));
    const other = { submissions: ['b'.repeat(64)] };
    expect(after(erase(1), hold(2), erase(1, other), hold(2, other))).toEqual(once);
  });

  it('keeps the first lifting of a hold, and a hold that was lifted is not placed again', () => {
    expect(after(hold(1), lift(2, 1), lift(3, 1), hold(1)).holds).toEqual([
      expect.objectContaining({ act: act(1), at: 1, liftedAt: 2 }),
    ]);
  });

  it('does not change by the lifting of a hold that nobody placed, also if it is placed later', () => {
    expect(after(lift(1, 9))).toEqual(NO_ERASURES);
    expect(after(erase(9), lift(1, 9))).toEqual(after(erase(9)));
    expect(indexOf(lift(1, 9), hold(9)).holdOf(sample)).toBe(act(9));
  });

  it('lifts one hold and no other', () => {
    const held = indexOf(hold(1), hold(2), lift(3, 1));
    expect(held.holdOf(sample)).toBe(act(2));
  });

  it('stays whatever else is said, and changes nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(erasureEvents, controlEvents), { maxLength: 12 }), (events) => {
        const state = (all: readonly ControlEvent[]): ControlState =>
          all.reduce<ControlState>(
            (before, event) => evolveControl(before, event, 5),
            INITIAL_CONTROL,
          );
        const { erasures, ...rest } = state(events);
        expect(erasures).toEqual(state(events.filter(isErasureEvent)).erasures);
        expect(rest).toEqual(state(events.filter((event) => !isErasureEvent(event))));
      }),
    );
  });
});

describe('a state of erasures', () => {
  const none = fc.constant(reason);
  const named = (name: string): fc.Arbitrary<string[]> => fc.constant([name]);
  const acts = fc.constantFrom(...[1, 2, 3].map(act));
  const events = fc.oneof(
    fc.record({
      type: fc.constant(ERASURE_ORDERED),
      data: fc.record({ act: acts, reason: none, submissions: named(SUBMISSION) }),
    }),
    fc.record({
      type: fc.constant(HOLD_PLACED),
      data: fc.record({ act: acts, reason: none, consents: named(CONSENT) }),
    }),
    fc.record({
      type: fc.constant(HOLD_LIFTED),
      data: fc.record({ act: acts, hold: acts, reason: none }),
    }),
  );
  type Event = Parameters<typeof evolveErasures>[1];

  /** Copies all that was said before. */
  function naive({ orders, holds }: Erasures, { type, data }: Event, at: number): Erasures {
    if (type === HOLD_LIFTED)
      return {
        orders,
        holds: holds.map((one) =>
          one.act === data.hold && one.liftedAt === undefined ? { ...one, liftedAt: at } : one,
        ),
      };
    const { act: name, submissions = [] } = data;
    const one = { act: name, at, reason, submissions };
    if (type === ERASURE_ORDERED)
      return orders.some((order) => order.act === name)
        ? { orders, holds }
        : { holds, orders: [...orders, { ...one, consents: data.consents ?? [] }] };
    return holds.some((other) => other.act === name)
      ? { orders, holds }
      : { orders, holds: [...holds, { ...one, consents: data.consents ?? [] }] };
  }

  it('keeps what it says, whatever comes to it or to an earlier one, read before or after', () => {
    const steps = fc.array(fc.tuple(events, fc.nat(), fc.boolean()), { maxLength: 20 });
    fc.assert(
      fc.property(steps, fc.boolean(), (all, isWritten) => {
        // One that somebody wrote has no fold behind it.
        const first = isWritten
          ? { orders: [{ act: act(1), at: 0, reason, submissions: [], consents: [] }], holds: [] }
          : NO_ERASURES;
        const states: { readonly is: Erasures; readonly expected: Erasures }[] = [
          { is: first, expected: first },
        ];
        for (const [at, [event, from, isRead]] of all.entries()) {
          // Mostly the newest one.
          const place = from % 3 === 0 ? from % states.length : states.length - 1;
          const before = states[place];
          if (before === undefined) throw new Error('Expected a state, found none.');
          const is = evolveErasures(before.is, event, at);
          const expected = naive(before.expected, event, at);
          states.push({ is, expected });
          if (isRead) expect(is).toEqual(expected);
        }
        for (const { is, expected } of states) expect(is).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  // With a copy of all orders for each one this takes minutes.
  it('takes in many orders, and as many holds that are lifted', { timeout: 60_000 }, () => {
    const many = 60_000;
    let state = NO_ERASURES;
    for (let number = 0; number < many; number += 1) {
      const placed = { act: act(number), reason, submissions: [SUBMISSION] };
      state = evolveErasures(state, { type: ERASURE_ORDERED, data: placed }, number);
      state = evolveErasures(state, { type: HOLD_PLACED, data: placed }, number);
      const lifted = { act: act(number), hold: act(number), reason };
      state = evolveErasures(state, { type: HOLD_LIFTED, data: lifted }, number);
    }
    expect([state.orders.length, state.holds.length]).toEqual([many, many]);
    expect(state.holds.every(({ liftedAt }) => liftedAt !== undefined)).toBe(true);
  });
});

describe('the index of erasures', () => {
  it.each([
    ['a millisecond before', AT + 1, act(1)],
    ['at', AT, undefined],
    ['after', AT - 1, undefined],
  ])('finds an order about a consent for a record appended %s its instant', (_, before, found) => {
    const index = indexOf(eraseConsent(1, new Date(before).toISOString()));
    expect(index.orderOf(sample)).toBe(found);
  });

  it('finds the order that came first, whichever of the two kinds it is', () => {
    const later = new Date(AT + 1).toISOString();
    expect(indexOf(eraseConsent(1, later), erase(2)).orderOf(sample)).toBe(act(1));
    expect(indexOf(erase(1), eraseConsent(2, later)).orderOf(sample)).toBe(act(1));
    expect(indexOf(erase(1), erase(2)).orderOf(sample)).toBe(act(1));
    expect(indexOf(eraseConsent(1, later), eraseConsent(2, later)).orderOf(sample)).toBe(act(1));
  });

  it('passes over an earlier order about the consent that is not about the record', () => {
    const [earlier, later] = [AT, AT + 1].map((at) => new Date(at).toISOString());
    const index = indexOf(eraseConsent(1, earlier ?? ''), eraseConsent(2, later ?? ''), erase(3));
    expect(index.orderOf(sample)).toBe(act(2));
  });

  it('finds a hold on the submission and one on its consent', () => {
    expect(indexOf(hold(1)).holdOf(sample)).toBe(act(1));
    expect(indexOf(hold(1, { consents: [CONSENT] })).holdOf(sample)).toBe(act(1));
    expect(indexOf(hold(1, { consents: ['consent-0002'] })).holdOf(sample)).toBeUndefined();
  });

  it('takes a consent for no submission that looks like it', () => {
    const named = { submissions: [CONSENT.padEnd(64, '0')] };
    const twin: ErasableSample = { ...sample, consentId: named.submissions[0] ?? '' };
    expect(indexOf(erase(1, named), hold(2, named)).orderOf(twin)).toBeUndefined();
    expect(indexOf(erase(1, named), hold(2, named)).holdOf(twin)).toBeUndefined();
    const given = { consents: [SUBMISSION] };
    expect(indexOf(hold(2, given)).holdOf({ ...sample, consentId: CONSENT })).toBeUndefined();
  });

  // Few names, acts and instants, so that they meet.
  const acts = fc.constantFrom(...[1, 2, 3, 4].map(act));
  const names = fc.constantFrom('a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64));
  const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.array(one, { minLength: 1, maxLength: 3 });
  const before = fc.constantFrom(
    '2026-11-02T08:59:59.999Z',
    '2026-11-02T09:00:00Z',
    '2026-11-02t10:00:00.0019+01:00',
    '2026-11-02T00:00:00.001-09:00',
    '2026-11-02',
    '2026-11-03',
  );
  const events: fc.Arbitrary<ControlEvent> = fc.oneof(
    fc.record({
      type: fc.constant(ERASURE_ORDERED),
      data: fc.oneof(
        fc.record({ act: acts, reason: fc.constant(reason), submissions: some(names) }),
        fc.record({
          act: acts,
          reason: fc.constant(reason),
          consents: some(fc.record({ consentId: names, before })),
        }),
      ),
    }),
    fc.record({
      type: fc.constant(HOLD_PLACED),
      data: fc.oneof(
        fc.record({ act: acts, reason: fc.constant(reason), submissions: some(names) }),
        fc.record({ act: acts, reason: fc.constant(reason), consents: some(names) }),
      ),
    }),
    fc.record({
      type: fc.constant(HOLD_LIFTED),
      data: fc.record({ act: acts, hold: acts, reason: fc.constant(reason) }),
    }),
  );

  /** Reads all events for one sample, and keeps nothing but its answer. */
  function naive(
    all: readonly ControlEvent[],
    { submission, consentId, at }: ErasableSample,
  ): { readonly order: string | undefined; readonly holds: readonly string[] } {
    const used = { [ERASURE_ORDERED]: new Set<string>(), [HOLD_PLACED]: new Set<string>() };
    let order: string | undefined;
    const holds = new Set<string>();
    for (const { type, data } of all) {
      if (type === HOLD_LIFTED) holds.delete(data.hold);
      if (type !== ERASURE_ORDERED && type !== HOLD_PLACED) continue;
      if (used[type].has(data.act)) continue;
      used[type].add(data.act);
      const about =
        (data.submissions ?? []).includes(submission) ||
        (data.consents ?? []).some((one) =>
          typeof one === 'string'
            ? one === consentId
            : one.consentId === consentId && at < (parseInstant(one.before) ?? Number.NaN),
        );
      if (about && type === ERASURE_ORDERED) order ??= data.act;
      if (about && type === HOLD_PLACED) holds.add(data.act);
    }
    return { order, holds: [...holds] };
  }

  it('says what reading all events for one sample says', () => {
    const samples = fc.record({
      submission: names,
      consentId: names,
      at: fc.integer({ min: AT - 2, max: AT + 2 }),
    });
    fc.assert(
      fc.property(fc.array(events, { maxLength: 10 }), samples, (all, one) => {
        const { order, holds } = naive(all, one);
        const index = indexOf(...all);
        expect(index.orderOf(one)).toBe(order);
        const found = index.holdOf(one);
        expect(found === undefined ? holds.length === 0 : holds.includes(found)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is not changed by an event that comes to what was said before', () => {
    const first = evolveErasures(
      undefined,
      { type: HOLD_PLACED, data: { act: act(1), reason, submissions: [SUBMISSION] } },
      1,
    );
    const kept = structuredClone(first);
    evolveErasures(first, { type: HOLD_LIFTED, data: { act: act(2), hold: act(1), reason } }, 2);
    expect(first).toEqual(kept);
  });
});
