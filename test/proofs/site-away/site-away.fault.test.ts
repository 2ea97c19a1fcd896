import { expect, onTestFailed, test } from 'vitest';
import { PHASES, siteAwayRun } from './site-away-run.ts';

// `npm run proof:site-away` takes the site away for ten minutes, measures, and asks rclone too.
test(
  'while a later site is frozen samples flow, and once it is back every copy that was owed is made once',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const { tally, phases, owed, copied } = await siteAwayRun({
      seed: 1_000_021,
      awayMs: 8_000,
      besideMs: 1_000,
      rate: 10,
      how: 'frozen',
      routers: 2,
      partitions: 2,
      longRunning: false,
      rclone: false,
      note: (line) => {
        notes.push(line);
      },
    });
    expect(tally.findings).toEqual([]);
    expect(tally.failed).toBe(false);
    expect(owed).toBeGreaterThan(0);
    expect(copied).toBeGreaterThanOrEqual(owed);
    expect(phases.map(({ name }) => name)).toEqual(PHASES);
    expect(phases[1]?.waits.length).toBeGreaterThan(0);
  },
);
