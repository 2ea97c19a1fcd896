import { expect, test } from 'vitest';
import { crashRuns } from './crash-runs.ts';

test(
  'routers and publishers killed at seeded moments lose nothing, place nothing twice and nothing in the wrong region',
  { timeout: 300_000 },
  async () => {
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
    // Otherwise nothing was tested.
    expect(tally.records).toBeGreaterThanOrEqual(8 * 40);
    expect(tally.inHand).toBeGreaterThan(0);
  },
);
