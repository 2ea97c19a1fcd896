import { expect, onTestFailed, test } from 'vitest';
import { vaultRuns } from './vault-runs.ts';

// `npm run proof:vault` has two hundred rounds.
test(
  'whoever is killed or frozen, a sample arrives only under an access that is public, and each access has one event',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const tally = await vaultRuns({
      rounds: 3,
      accesses: 5,
      seed: 1_000_003,
      note: (line) => {
        notes.push(line);
      },
    });
    expect(tally.findings).toEqual([]);
    // The seed's first round wakes a custodian after an erasure, and asks four times more.
    expect([tally.accesses, tally.given + tally.withheld, tally.woke]).toEqual([19, 19, 1]);
    expect(tally.arrivals).toBeGreaterThanOrEqual(15);
  },
);
