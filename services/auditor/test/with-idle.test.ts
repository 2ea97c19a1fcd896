import { expect, test } from 'vitest';
import { withIdle } from '../src/with-idle.ts';

const never = new AbortController().signal;

test('yields batches in order, and an empty batch after a while without one', async () => {
  const gate = Promise.withResolvers<void>();
  async function* open(): AsyncGenerator<readonly number[]> {
    yield [1];
    yield [2, 3];
    await gate.promise;
    yield [4];
  }
  const seen: (readonly number[])[] = [];
  for await (const batch of withIdle(open, 5, never)) {
    seen.push(batch);
    if (batch.length === 0) gate.resolve();
  }
  expect(seen.slice(0, 3)).toEqual([[1], [2, 3], []]);
  expect(seen.filter(({ length }) => length > 0).at(-1)).toEqual([4]);
});

test('a consumer that stops early ends the source, even if no more batches arrive', async () => {
  let closed = false;
  async function* open(signal: AbortSignal): AsyncGenerator<readonly number[]> {
    try {
      yield [1];
      const ended = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => {
        ended.resolve();
      });
      await ended.promise;
    } finally {
      closed = true;
    }
  }
  for await (const batch of withIdle(open, 5, never)) if (batch.length === 0) break;
  expect(closed).toBe(true);
});

test('a failure is passed on, also one that occurs while the consumer is busy', async () => {
  async function* open(): AsyncGenerator<readonly number[]> {
    yield [1];
    await Promise.resolve();
    throw new Error('away');
  }
  const reading = withIdle(open, 5, never);
  expect(await reading.next()).toMatchObject({ value: [1] });
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  await expect(reading.next()).rejects.toThrow('away');
});
