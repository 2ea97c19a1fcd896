import { expect, test } from 'vitest';
import { ledgerRuns } from './ledger-runs.ts';

test('writers of a ledger that fail, die or are killed at seeded moments fork nothing and lose nothing', async () => {
  const tally = await ledgerRuns({ runs: 8, seed: 1_000_000 });
  expect(tally.findings).toEqual([]);
  expect(tally).toMatchObject({ runs: 8, forks: 0, missing: 0, fsckFaults: 0, wentBack: 0 });
  // Otherwise the runs would have tested nothing.
  expect(tally.abandoned + tally.faults).toBeGreaterThan(8);
  expect(tally.killed).toBeGreaterThan(0);
});
