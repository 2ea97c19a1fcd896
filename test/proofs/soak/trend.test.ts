import { expect, test } from 'vitest';
import { trendOf } from './trend.ts';

test("a line's slope is told for a minute, and is sure", () => {
  const trend = trendOf([0, 30, 60, 90].map((seconds) => ({ seconds, value: 100 + seconds })));
  expect(trend).toMatchObject({ first: 100, last: 190 });
  expect(trend.slope).toBeCloseTo(60);
  expect(trend.standardError).toBeCloseTo(0);
});

test('what goes up and down and stays has a slope within its error', () => {
  const { slope, standardError } = trendOf(
    Array.from({ length: 100 }, (_, index) => ({ seconds: index * 10, value: 50 + (index % 2) })),
  );
  expect(Math.abs(slope)).toBeLessThan(2 * standardError);
});
