import { expect, it } from 'vitest';
import { partitionOf } from '../src/appending/choose-partition.ts';

// The vectors of Kafka's own test of its hash, `UtilsTest.testMurmur2`.
it.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])("gives %s the partition Java's client gives it", (key, hash) => {
  for (const partitions of [1, 3, 12, 50])
    expect(partitionOf(Buffer.from(key), partitions)).toBe((hash & 0x7fffffff) % partitions);
});
