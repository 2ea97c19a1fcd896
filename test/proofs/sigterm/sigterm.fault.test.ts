import { expect, onTestFailed, test } from 'vitest';
import { sigtermRun } from './sigterm-run.ts';

// One router leaves and one joins; `npm run proof:sigterm` repeats it fifty times.
test(
  'a router that gets SIGTERM under full load exits with 0, and the others take over, with nothing lost or repeated',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const { tally, endedMs } = await sigtermRun({
      seed: 1_000_003,
      times: 1,
      submissions: 20_000,
      routers: 2,
      partitions: 4,
      batch: 50,
      waiting: 300,
      undisturbedMs: 0,
      longRunning: false,
      note: (line) => {
        notes.push(line);
      },
    });
    expect(tally.findings).toEqual([]);
    expect(tally.failed).toBe(false);
    expect(endedMs).toHaveLength(1);
    expect(tally.records).toBeGreaterThan(300);
  },
);
