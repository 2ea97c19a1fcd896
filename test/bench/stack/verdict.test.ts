import { describe, expect, test } from 'vitest';
import type { StackPair } from './report.ts';
import { MOST_ROUNDS, limitOf, lowestRatio, verdictOf } from './verdict.ts';

const COMMITTED = { timesFloorCpu: 2 };

/** Rounds whose floor used one CPU second and whose router used so many. */
function rounds(cpuSeconds: readonly number[], busy = false): readonly StackPair[] {
  const run = (seconds: number): StackPair['subject'] => ({
    cpuSeconds: seconds,
    seconds: 1,
    peakBytes: 1,
    share: busy ? 0.5 : 1,
    cores: { measured: 1, machine: busy ? 2 : 1 },
  });
  return cpuSeconds.map((seconds) => ({ subject: run(seconds), floor: run(1) }));
}

function many(count: number, cpuSeconds: number): readonly number[] {
  return Array.from({ length: count }, () => cpuSeconds);
}

describe('the short form', () => {
  test('lets pass what is not more than 25 % above the committed figure', () => {
    expect(limitOf(COMMITTED)).toBe(2.5);
    expect(verdictOf(rounds(many(4, 2.5)), COMMITTED)).toBe('passes');
  });

  test('finds too heavy what is above that in quiet rounds', () => {
    expect(verdictOf(rounds(many(8, 2.51)), COMMITTED)).toBe('too heavy');
  });

  test('never fails for a fall', () => {
    expect(verdictOf(rounds(many(4, 0.01)), COMMITTED)).toBe('passes');
  });

  test('asks for more rounds before it finds a router too heavy, and after few rounds', () => {
    expect(verdictOf(rounds(many(7, 9)), COMMITTED)).toBeUndefined();
    expect(verdictOf(rounds(many(3, 1)), COMMITTED)).toBeUndefined();
  });

  test('counts the lowest rounds, of router and floor apart', () => {
    expect(lowestRatio(rounds([9, 2, 2.1, 7, 1.9]))).toBeCloseTo(2);
  });

  test('lets busy rounds show that a router passes, not that it is too heavy', () => {
    expect(verdictOf(rounds(many(4, 2), true), COMMITTED)).toBe('passes');
    expect(verdictOf(rounds(many(MOST_ROUNDS - 1, 9), true), COMMITTED)).toBeUndefined();
    expect(verdictOf(rounds(many(MOST_ROUNDS, 9), true), COMMITTED)).toBe('busy');
    expect(
      verdictOf([...rounds(many(MOST_ROUNDS - 3, 9), true), ...rounds(many(3, 9))], COMMITTED),
    ).toBe('too heavy');
  });

  test('never lets pass what is not a number', () => {
    expect(verdictOf(rounds(many(8, Number.NaN)), COMMITTED)).toBe('too heavy');
  });
});
