import { expect, test } from 'vitest';
import { measureRounds, putTable } from './put.ts';

test('the benchmark of requests to S3 measures every client in the same round and prints its spread', async () => {
  const rounds = await measureRounds(1, { bytes: 64, count: 50 }, () => undefined);
  for (const { floor, product, sdk } of rounds)
    for (const { head, create } of [floor, product, sdk])
      expect(Math.min(head.cpuSeconds, create.cpuSeconds)).toBeGreaterThan(0);
  expect(putTable(64, 50, rounds).match(/\| 64 B \| (?:floor|product|sdk) \|/g)).toHaveLength(3);
});
