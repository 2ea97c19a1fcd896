import {
  ACCESS_APPROVED,
  ACCESS_REFUSALS,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  SAMPLE_ACCESSED,
  custodyEventIn,
  encodeCustodyEvent,
  isAccessEvent,
} from '@residency/contracts';
import type { CustodyEvent } from '@residency/contracts';
import { AccessBook } from '@residency/custodianship';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CustodyWorld, NOW } from './custody-world.ts';
import { MemoryRegisterStore } from '@residency/testkit';

const HOUR_MS = 3_600_000;
const IDS = Array.from(
  { length: 6 },
  (_, nth) => `019b76da-a800-7000-8000-${String(nth).padStart(12, '0')}`,
);
const WHO = ['ana', 'bob'] as const;

const about = fc.record({
  access: fc.constantFrom(...IDS),
  principal: fc.constantFrom(...WHO),
  hours: fc.nat(30),
  kind: fc.constantFrom('requested', 'approved', 'refused', 'accessed'),
  code: fc.constantFrom(...ACCESS_REFUSALS),
});
type About = typeof about extends fc.Arbitrary<infer T> ? T : never;

function eventOf({ access, principal, kind, code }: About, sequence: number, at: number) {
  const place = { log: 'log-1', sequence, at } as const;
  const common = { previous: null, region: 'zurich', access, principal } as const;
  const asked = {
    ...common,
    of: 'log-1/threat.samples/0/7',
    submission: 'a'.repeat(64),
    purpose: 'analysis',
    reference: 'b'.repeat(64),
    form: 'cart',
    until: new Date(at + HOUR_MS).toISOString(),
  } as const;
  const event: CustodyEvent =
    kind === 'requested'
      ? { ...place, type: ACCESS_REQUESTED, data: { ...asked, approvals: 1 } }
      : kind === 'approved'
        ? { ...place, type: ACCESS_APPROVED, data: common }
        : kind === 'refused'
          ? { ...place, type: ACCESS_REFUSED, data: { ...common, code } }
          : { ...place, type: SAMPLE_ACCESSED, data: { ...asked, bytes: 10 } };
  return event;
}

function follow(book: AccessBook, values: readonly Buffer[]): AccessBook {
  for (const value of values) {
    const event = custodyEventIn(value);
    if (event !== undefined && isAccessEvent(event)) book.follow(event, value);
  }
  return book;
}

function valuesOf(all: readonly About[]): {
  readonly values: readonly Buffer[];
  readonly end: number;
} {
  let at = NOW;
  const first = new Map<string, number>();
  const values = all.flatMap((one, sequence) => {
    at += one.hours * HOUR_MS;
    // An id is refused once it is older than a day, and an access lives for a day.
    if (at > (first.get(one.access) ?? at) + 48 * HOUR_MS) return [];
    first.set(one.access, first.get(one.access) ?? at);
    return [encodeCustodyEvent(eventOf(one, sequence, at))];
  });
  return { values, end: at };
}

test('a book that begins with what another saved knows the same of the last 48 hours', () => {
  fc.assert(
    fc.property(fc.array(about, { maxLength: 60 }), fc.nat(60), (all, cut) => {
      const { values, end } = valuesOf(all);
      const whole = follow(new AccessBook(), values);
      const saved = follow(new AccessBook(), values.slice(0, cut)).save();
      const resumed = follow(follow(new AccessBook(), saved), values.slice(cut));
      for (const id of IDS) {
        const known = whole.get(id);
        // What is older may be forgotten sooner by one of them.
        if (known !== undefined && known.at < end - 48 * HOUR_MS) continue;
        expect(resumed.get(id)).toEqual(known);
      }
      for (const principal of WHO) {
        const since = end - 24 * HOUR_MS;
        expect(resumed.refusalsSince(since, principal)).toBe(whole.refusalsSince(since, principal));
        expect(resumed.usedSince(since, { principal, purpose: 'analysis' })).toEqual(
          whole.usedSince(since, { principal, purpose: 'analysis' }),
        );
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a book knows what is younger than 48 hours, and its size follows from that', () => {
  const all = Array.from({ length: 5_000 }, (_, nth) => ({
    access: `019b76da-a800-7000-8000-${String(nth).padStart(12, '0')}`,
    principal: 'ana' as const,
    hours: 1,
    kind: 'accessed' as const,
    code: 'LIMIT_REACHED' as const,
  }));
  const book = follow(new AccessBook(), valuesOf(all).values);
  expect(book.save().length).toBeLessThan(100);
  expect(all.slice(-48).every(({ access }) => book.get(access)?.state === 'accessed')).toBe(true);
  expect(all.slice(0, 4_800).some(({ access }) => book.get(access) !== undefined)).toBe(false);
});

test('an access that was recorded is in the register', async () => {
  const world = new CustodyWorld();
  const store = new MemoryRegisterStore();
  const [access = ''] = IDS;
  const register = {
    store,
    topics: {},
    passedOver: (code: string) => expect.unreachable(code),
    opened: () => undefined,
    saved: () => undefined,
    failed: (error: unknown) => expect.unreachable(String(error)),
  };
  const first = await world.custodian({ register });
  await first.round(new AbortController().signal);
  await first.accesses.append(
    () => ({ type: ACCESS_REFUSED, data: { access, principal: 'ana', code: 'PURPOSE_UNKNOWN' } }),
    NOW,
  );
  await first.keep();
  const second = await world.custodian({ register });
  expect(second.accesses.book.get(access)).toMatchObject({ state: 'refused', at: NOW });
});
