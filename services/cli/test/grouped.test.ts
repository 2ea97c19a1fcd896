import fc from 'fast-check';
import { expect, it } from 'vitest';
import { grouped } from '../src/terminal/table.ts';

it('groups digits as Intl does for the United States', () => {
  const like = (value: number): string =>
    value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(grouped(value)).toBe(like(value));
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (tenths) => {
      expect(grouped(tenths / 10)).toBe(like(tenths / 10));
    }),
  );
  expect([0.04, 999.96, 1023.999].map((value) => grouped(value))).toEqual(['0', '1,000', '1,024']);
});
