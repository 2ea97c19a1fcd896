import { expect, onTestFailed, test } from 'vitest';
import { sigtermRun } from './sigterm-run.ts';

test(
  'a router that gets SIGTERM under full load exits with 0, and the others take over, with nothing lost or repeated',
  { timeout: 600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const { tally, endedMs } = await sigtermRun({
      seed: 1_000_003,
      times: 3,
      submissions: 40_000,
      routers: 2,
      partitions: 4,
      batch: 100,
      waiting: 600,
      undisturbedMs: 1_000,
      longRunning: false,
      note: (line) => {
        notes.push(line);
      },
    });
    expect(tally.findings).toEqual([]);
    expect(tally.failed).toBe(false);
    expect(endedMs).toHaveLength(3);
    expect(tally.records).toBeGreaterThan(600);
  },
);
