import { expect, it } from 'vitest';
import { BackOff } from '../src/back-off.ts';

it('doubles up to its limit, shortened at random by at most half, and begins anew after a reset', () => {
  const longest = new BackOff({ firstMs: 100, mostMs: 5_000 }, () => 0);
  expect(Array.from({ length: 8 }, () => longest.next())).toEqual([
    100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
  ]);
  longest.reset();
  expect(longest.next()).toBe(100);
  expect(new BackOff({ firstMs: 100, mostMs: 5_000 }, () => 1).next()).toBe(50);
});

it('takes a waiting time that is given, and does not count it', () => {
  const backOff = new BackOff({ firstMs: 100, mostMs: 5_000 }, () => 0);
  expect(Array.from({ length: 30 }, () => backOff.next(7))).toEqual(
    Array.from({ length: 30 }, () => 7),
  );
  expect([backOff.next(), backOff.next(7), backOff.next()]).toEqual([100, 7, 200]);
});
