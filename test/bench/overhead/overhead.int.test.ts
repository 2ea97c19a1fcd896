import { expect, test } from 'vitest';
import { measureOverhead, overheadTable } from './overhead.ts';

test('the benchmark of metrics and logs runs both ways and prints a ratio with its spread', async () => {
  const workload = { bytes: 64, count: 500, region: 'zurich' } as const;
  const pairs = await measureOverhead(workload, 2, () => undefined);
  expect(pairs).toHaveLength(2);
  for (const { on, off } of pairs)
    expect(Math.min(on.cpuSeconds, off.cpuSeconds)).toBeGreaterThan(0);
  expect(overheadTable(workload, pairs)).toMatch(
    /\| 64 B \| 500 \| 2 \| .* \| \d+\.\d{3} \(\d+\.\d{3}–\d+\.\d{3}\) \|/,
  );
});
