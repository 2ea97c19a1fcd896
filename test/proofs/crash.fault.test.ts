import { expect, test } from 'vitest';
import { crashRuns } from './crash-runs.ts';

test('with routers and publishers killed at seeded moments nothing is lost, placed twice or placed in the wrong region', async () => {
  const tally = await crashRuns({ runs: 8, seed: 1_000_000 });
  expect(tally.findings).toEqual([]);
  expect(tally).toMatchObject({
    runs: 8,
    lost: 0,
    twice: 0,
    wrongRegion: 0,
    other: 0,
    reconcileDifferences: 0,
  });
  // Otherwise the runs would have tested nothing.
  expect(tally.records).toBeGreaterThanOrEqual(8 * 40);
  expect(tally.inHand).toBeGreaterThan(0);
});
