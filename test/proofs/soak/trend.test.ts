import { expect, test } from 'vitest';
import { trendOf } from './trend.ts';

test('the slope of a line is a rate for each minute, with no error', () => {
  const trend = trendOf([0, 30, 60, 90].map((seconds) => ({ seconds, value: 100 + seconds })));
  expect(trend).toMatchObject({ first: 100, last: 190 });
  expect(trend.slope).toBeCloseTo(60);
  expect(trend.standardError).toBeCloseTo(0);
});

test('a series that oscillates around a constant has a slope within its error', () => {
  const { slope, standardError } = trendOf(
    Array.from({ length: 100 }, (_, index) => ({ seconds: index * 10, value: 50 + (index % 2) })),
  );
  expect(Math.abs(slope)).toBeLessThan(2 * standardError);
});
