import { expect, test } from 'vitest';
import { custodyTable, measureCustody } from './custody.ts';

test('the benchmark of copies measures the custodian and bare copies in the same round', async () => {
  const options = { rounds: 1, copies: 100, bytes: 1_024, longRunning: false };
  const rounds = await measureCustody(options);
  for (const { custodian, floor } of rounds) {
    expect(custodian.copies).toBeGreaterThan(0);
    expect(floor.copies).toBe(custodian.copies);
    expect(Math.min(custodian.cpuSeconds, floor.cpuSeconds)).toBeGreaterThan(0);
  }
  expect(custodyTable(options, rounds).match(/\| (?:custodian|floor) \| 1 KiB \|/g)).toHaveLength(
    2,
  );
});
