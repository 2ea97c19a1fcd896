import { QUARANTINE_REASONS } from '@residency/contracts';
import type { QuarantineReason } from '@residency/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QuarantineBook } from '../src/quarantine-book.ts';

const PARTITIONS = 3;
const MOST = 60;
const FLOORS = new Map(
  Array.from({ length: PARTITIONS }, (_, partition) => [partition, BigInt(partition * 3)]),
);

type Step =
  | {
      readonly kind: 'quarantined';
      readonly partition: number;
      readonly offset: number;
      readonly at: number;
      readonly reason: QuarantineReason;
    }
  | { readonly kind: 'sent'; readonly partition: number; readonly offset: number }
  | { readonly kind: 'keep'; readonly start: number; readonly end: number };

/** By its definition: every event is kept, and everything is counted anew. */
class Naive {
  readonly #known = new Map<
    string,
    {
      partition: number;
      offset: number;
      event?: { at: number; reason: QuarantineReason };
      sent: boolean;
    }
  >();
  expired = 0;

  take(step: Step): void {
    if (step.kind === 'keep') this.#keep(step.start, step.end);
    else if (step.offset >= Number(FLOORS.get(step.partition) ?? Infinity)) {
      const { partition, offset } = step;
      const known = this.#known.get(`${partition}/${offset}`) ?? { partition, offset, sent: false };
      if (step.kind === 'sent') known.sent = true;
      // Scraped twice: as at first.
      else known.event ??= { at: step.at, reason: step.reason };
      this.#known.set(`${partition}/${offset}`, known);
    }
  }

  waiting() {
    return [...this.#known.values()].flatMap(({ event, sent }) =>
      event === undefined || sent ? [] : [event],
    );
  }

  #keep(start: number, end: number): void {
    for (const [place, { offset, event, sent }] of this.#known) {
      if (offset >= start && offset < end) continue;
      if (event !== undefined && !sent) this.expired += 1;
      this.#known.delete(place);
    }
  }
}

function take(book: QuarantineBook, step: Step): void {
  if (step.kind === 'keep')
    book.keepWithin(
      new Map(
        [...FLOORS.keys()].map((partition) => [
          partition,
          { start: BigInt(step.start), end: BigInt(step.end) },
        ]),
      ),
    );
  else if (step.kind === 'sent')
    book.sentAgain({ partition: step.partition, offset: BigInt(step.offset) });
  else
    book.quarantined(
      { partition: step.partition, offset: BigInt(step.offset) },
      step.at,
      step.reason,
    );
}

// One partition more than the intake log has: whoever publishes may name it.
const place = { partition: fc.nat(PARTITIONS), offset: fc.nat(MOST) };
const quarantined = fc.record({
  kind: fc.constant('quarantined' as const),
  ...place,
  at: fc.nat(1_000),
  reason: fc.constantFrom(...QUARANTINE_REASONS),
});
const sent = fc.record({ kind: fc.constant('sent' as const), ...place });
const keep = fc
  .tuple(fc.nat(MOST), fc.nat(MOST))
  .map(([a, b]): Step => ({ kind: 'keep', start: Math.min(a, b), end: Math.max(a, b) + 1 }));
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: quarantined },
    { weight: 3, arbitrary: sent },
    { weight: 1, arbitrary: keep },
  ),
  { maxLength: 200 },
);

const EMPTY = new Map(QUARANTINE_REASONS.map((reason) => [reason, 0]));

test('says after every step what counting everything anew says', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const [book, naive] = [new QuarantineBook(FLOORS), new Naive()];
      for (const step of all) {
        take(book, step);
        naive.take(step);
        const waiting = naive.waiting();
        const byReason = new Map(
          [...EMPTY].map(([reason]) => [
            reason,
            waiting.filter((one) => one.reason === reason).length,
          ]),
        );
        expect(book.summary()).toEqual({
          byReason,
          expired: naive.expired,
          ...(waiting.length === 0 ? {} : { oldestAt: Math.min(...waiting.map(({ at }) => at)) }),
        });
      }
    }),
    { numRuns: 200 },
  );
});

test('says the same in whatever order the events are told', () => {
  const once = fc.uniqueArray(fc.oneof(quarantined, sent), {
    selector: ({ kind, partition, offset }) => `${kind}/${partition}/${offset}`,
    maxLength: 100,
  });
  fc.assert(
    fc.property(
      once.chain((events) =>
        fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
      ),
      ([events, shuffled]) => {
        const [one, other] = [new QuarantineBook(FLOORS), new QuarantineBook(FLOORS)];
        for (const event of events) take(one, event);
        for (const event of shuffled) take(other, event);
        expect(other.summary()).toEqual(one.summary());
      },
    ),
  );
});

const reason = 'COUNTRY_UNKNOWN';

test('one that was sent through again waits no more; quarantined again, it waits under its own position', () => {
  const book = new QuarantineBook(new Map([[0, 0n]]));
  book.quarantined({ partition: 0, offset: 1n }, 10, reason);
  book.sentAgain({ partition: 0, offset: 1n });
  expect(book.summary()).toEqual({ byReason: EMPTY, expired: 0 });
  book.quarantined({ partition: 0, offset: 2n }, 20, reason);
  expect(book.summary()).toMatchObject({ oldestAt: 20, expired: 0 });
});

test('what the intake log dropped before the start is not counted, what it drops since is, once, also over books', () => {
  const book = new QuarantineBook(new Map([[0, 5n]]), 3);
  for (const offset of [3n, 5n, 6n, 9n])
    book.quarantined({ partition: 0, offset }, Number(offset), reason);
  const bounds = (start: bigint) => new Map([[0, { start, end: 10n }]]);
  book.keepWithin(bounds(5n));
  expect(book.summary()).toMatchObject({ expired: 3, oldestAt: 5 });
  for (const start of [6n, 6n, 7n]) book.keepWithin(bounds(start));
  expect(book.summary()).toMatchObject({ expired: 5, oldestAt: 9 });
  expect(book.expired).toBe(5);
});

test('positions beyond every log take no room', () => {
  const book = new QuarantineBook(new Map([[0, 0n]]));
  book.quarantined({ partition: 0, offset: 4n }, 4, reason);
  for (const offset of [2n ** 53n, 2n ** 53n + 4n, 2n ** 63n - 1n])
    book.sentAgain({ partition: 0, offset });
  book.sentAgain({ partition: 2_147_483_647, offset: 4n });
  expect(book.summary()).toMatchObject({ oldestAt: 4 });
});

test('many are held and let go of, in order and not', () => {
  const book = new QuarantineBook(new Map([[0, 0n]]));
  for (let offset = 0; offset < 5_000; offset += 2)
    book.quarantined({ partition: 0, offset: BigInt(offset) }, offset, reason);
  for (let offset = 1; offset < 5_000; offset += 2)
    book.quarantined({ partition: 0, offset: BigInt(offset) }, offset, reason);
  expect(book.summary().byReason.get(reason)).toBe(5_000);
  book.keepWithin(new Map([[0, { start: 4_990n, end: 5_000n }]]));
  expect(book.summary()).toEqual({
    byReason: new Map([...EMPTY, [reason, 10]]),
    expired: 4_990,
    oldestAt: 4_990,
  });
});
