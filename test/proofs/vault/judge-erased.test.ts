import { expect, test } from 'vitest';
import { erasedAt, erasedFaults } from './judge-erased.ts';
import type { CustodyRow } from './judge-erased.ts';

const row = (at: number, type: string, data: object): CustodyRow => ({
  at,
  value: Buffer.from(JSON.stringify({ type: `residency.sample.${type}.v1`, data })),
});
const accessed = (at: number, until: number): CustodyRow =>
  row(at, 'accessed', { access: 'a', submission: 's', until: new Date(until).toISOString() });
const erased = (at: number): CustodyRow => row(at, 'erased', { submission: 's' });
const arrival = (at: number, bytes = 1) => ({ access: 'a', submission: 's', at, bytes });

test('bytes may arrive as long as no erasure is on the log', () => {
  expect(erasedFaults([arrival(5_000)], [accessed(0, 1_000)])).toEqual([]);
  expect(erasedFaults([arrival(2_000)], [accessed(0, 1_000), erased(2_000)])).toEqual([]);
  expect(erasedFaults([arrival(2_001)], [accessed(0, 1_000), erased(2_000)])).toEqual([
    'a: 1 bytes of the sample after its erasure was on the log',
  ]);
});

test('a download that began before an erasure ends with the piece that was on its way', () => {
  const rows = [accessed(0, 1_000), erased(2_000)];
  expect(erasedFaults([arrival(500), arrival(3_000, 65_536)], rows)).toEqual([]);
  expect(erasedFaults([arrival(500), arrival(3_000, 65_536), arrival(3_001)], rows)).toEqual([
    'a: 65537 bytes of the sample after its erasure was on the log',
  ]);
});

test('an erasure waits for each access, and none comes after it', () => {
  expect(erasedFaults([], [accessed(0, 2_000), erased(1_999)])).toEqual([
    'a: the sample was erased while it lived',
  ]);
  expect(erasedFaults([], [erased(0), accessed(1, 0)])).toEqual([
    'a: an access to a sample that was erased before',
  ]);
});

test('the first erasure of a sample counts', () => {
  expect(erasedAt([erased(1), erased(9)])).toEqual(new Map([['s', 1]]));
});
