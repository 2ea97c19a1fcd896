import { array, assert, asyncProperty, integer } from 'fast-check';
import { expect, test } from 'vitest';
import { ReadBudget } from '../src/read-budget.ts';
import { FakeClock } from './fake-clock.ts';

const never = new AbortController().signal;

test('never lets more reads begin in any time than the rate allows, plus a burst of a tenth of a second', async () => {
  await assert(
    asyncProperty(
      integer({ min: 1, max: 2_000 }),
      array(integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 60 }),
      async (perSecond, pauses) => {
        const clock = new FakeClock();
        const budget = new ReadBudget(perSecond, clock);
        const begun: number[] = [];
        // Two that ask, each on its own.
        await Promise.all(
          [0, 1].map(async (who) => {
            for (const [index, pause] of pauses.entries()) {
              if (index % 2 === who) await clock.sleep(pause, never);
              await budget.take(never);
              begun.push(clock.monotonic());
            }
          }),
        );
        for (const [first, from] of begun.entries()) {
          for (const [last, until] of begun.entries()) {
            if (last < first) continue;
            expect(last - first + 1).toBeLessThanOrEqual(
              Math.floor(((until - from + 100) * perSecond) / 1_000 + 1e-6) + 1,
            );
          }
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('a caller that always asks gets the full rate, in the order of its calls', async () => {
  const clock = new FakeClock();
  const budget = new ReadBudget(50, clock);
  const since = clock.monotonic();
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      await budget.take(never);
      order.push(index);
    }),
  );
  expect(order).toEqual(order.map((_, index) => index));
  expect(clock.monotonic() - since).toBeLessThanOrEqual(500 * 20);
  expect(clock.monotonic() - since).toBeGreaterThan(494 * 20 - 100);
});

test('an abort rejects all waiting and later calls with its reason', async () => {
  const clock = {
    monotonic: () => 0,
    sleep: (_: number, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      }),
  };
  const budget = new ReadBudget(1, clock);
  const stop = new AbortController();
  const reason = new Error('Stopped.');
  await budget.take(stop.signal);
  const waiting = [budget.take(stop.signal), budget.take(stop.signal)];
  stop.abort(reason);
  expect(
    (await Promise.allSettled([...waiting, budget.take(stop.signal)])).map((result) =>
      result.status === 'rejected' ? (result.reason as unknown) : 'let in',
    ),
  ).toEqual([reason, reason, reason]);
});
