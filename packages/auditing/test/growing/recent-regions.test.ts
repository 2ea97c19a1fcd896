import { sha256 } from '@residency/contracts';
import { expect, test } from 'vitest';
import { RecentRegions } from '../../src/index.ts';

const id = (nth: number): string => sha256(Buffer.from(String(nth)));

test('remembers the last identities, at least half of its capacity, and forgets older ones', () => {
  const regions = new RecentRegions(1_000);
  for (let nth = 0; nth < 10_000; nth += 1) {
    expect(regions.regionOf(id(nth))).toBeUndefined();
    regions.note(id(nth), nth % 3 === 0 ? 'zurich' : 'moscow');
    const oldest = Math.max(0, nth - 499);
    expect(regions.regionOf(id(oldest))).toBe(oldest % 3 === 0 ? 'zurich' : 'moscow');
  }
  expect(
    Array.from({ length: 10_000 }, (_, nth) => regions.regionOf(id(nth))).filter(
      (region) => region !== undefined,
    ).length,
  ).toBeLessThanOrEqual(1_000);
  expect(regions.regionOf(id(8_999))).toBeUndefined();
});

test('a region beyond the 255th is not remembered, and the others are', () => {
  const regions = new RecentRegions(1_000);
  for (let nth = 0; nth < 300; nth += 1) regions.note(id(nth), `region-${nth}`);
  expect([regions.regionOf(id(254)), regions.regionOf(id(255))]).toEqual(['region-254', undefined]);
});
