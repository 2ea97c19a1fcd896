import { expect, onTestFailed, test } from 'vitest';
import { siteLostRuns } from './site-lost-runs.ts';

// Both sites of Zurich are lost, one after the other; `npm run proof:site-lost` has two hundred losses.
test(
  'with the arbiter destroyed under load, taken out, rebuilt and taken in, nothing is lost, stored twice or placed in the wrong region',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const tally = await siteLostRuns({
      runs: 1,
      seed: 1_000_001,
      losses: 2,
      submissions: 80,
      note: (line) => {
        notes.push(line);
      },
    });
    expect(tally.findings).toEqual([]);
    expect(tally).toMatchObject({
      runs: 1,
      failedRuns: 0,
      lost: 0,
      twice: 0,
      wrongRegion: 0,
      other: 0,
    });
    // Otherwise the run would have tested nothing.
    expect(tally.flowMs).toHaveLength(2);
    expect(tally.records).toBeGreaterThanOrEqual(160);
    expect(tally.copied).toBeGreaterThan(0);
  },
);
