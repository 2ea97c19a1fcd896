import { beforeEach, expect, test } from 'vitest';
import { MarkerWatch } from '../src/marker-watch.ts';

let clock: number;
let looks: number;
let look: () => Promise<void>;
let watch: MarkerWatch;
beforeEach(() => {
  clock = 0;
  looks = 0;
  look = async () => {};
  watch = new MarkerWatch(
    () => {
      looks += 1;
      return look();
    },
    { now: () => clock, maxAgeMs: 60_000 },
  );
});

test('the first use looks, and those that follow within the minute do not', async () => {
  await watch.fresh();
  clock = 59_999;
  await watch.fresh();
  expect(looks).toBe(1);
});

test('a look of a minute ago does not count', async () => {
  await watch.fresh();
  clock = 60_000;
  await watch.fresh();
  expect(looks).toBe(2);
});

test('its age is counted from its beginning: what changed while it ran may have been missed', async () => {
  look = async () => {
    clock += 59_000;
  };
  await watch.fresh();
  look = async () => {};
  clock += 1_000;
  await watch.fresh();
  expect(looks).toBe(2);
});

test('callers that ask at the same time share one look', async () => {
  await Promise.all(Array.from({ length: 50 }, () => watch.fresh()));
  expect(looks).toBe(1);
});

test('after a doubt the next use looks again', async () => {
  await watch.fresh();
  watch.doubt();
  await Promise.all([watch.fresh(), watch.fresh()]);
  expect(looks).toBe(2);
});

test('a look that had begun before a doubt does not count, not even for those who wait for it', async () => {
  const first = Promise.withResolvers<void>();
  look = () => first.promise;
  const waiting = watch.fresh();
  watch.doubt();
  look = async () => {
    throw new Error('another site');
  };
  first.resolve();
  await expect(waiting).rejects.toThrow('another site');
  expect(looks).toBe(2);
});

test('a look that failed is told to all who waited, and tried again at the next use', async () => {
  look = async () => {
    throw new Error('away');
  };
  expect(
    (await Promise.allSettled([watch.fresh(), watch.fresh()])).map(({ status }) => status),
  ).toEqual(['rejected', 'rejected']);
  look = async () => {};
  await watch.fresh();
  await watch.fresh();
  expect(looks).toBe(2);
});
