import { expect, test } from 'vitest';
import { measureVault, vaultTables } from './vault.ts';

test('the benchmark of the vault measures times, rates and memory, each beside its baseline', async () => {
  const options = {
    accesses: 2,
    intervalsMs: [500],
    clients: 2,
    seconds: 1,
    bytes: 1_024,
    largeBytes: 1024 * 1024,
    readers: 10,
    readSeconds: 1,
    longRunning: false,
  };
  const figures = await measureVault(options);
  for (const { ms } of figures.latencies)
    for (const kind of Object.values(ms)) expect(Math.min(...kind)).toBeGreaterThan(0);
  for (const { perSecond, cpu } of figures.rates)
    expect(Math.min(perSecond, cpu)).toBeGreaterThan(0);
  expect(figures.memory.map(({ readers, served }) => [readers, served])).toEqual([
    ['fast', 10],
    ['slow', 8],
    ['asking', 10],
  ]);
  expect(vaultTables(options, figures).match(/^\| /gm)).toHaveLength(5 + 8 + 5);
});
