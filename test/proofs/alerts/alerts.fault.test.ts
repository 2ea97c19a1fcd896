import { expect, onTestFailed, test } from 'vitest';
import { FAULTS } from './alert-faults.ts';
import { alertRun, failuresOf } from './alert-run.ts';

test(
  'a real Prometheus alerts on a sample in the wrong region and on an unreachable site, and their runbooks lead to the cause',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const faults = FAULTS.slice(0, 2).map((fault) => ({
      ...fault,
      afterwards: [],
      clearWithinMs: 0,
      // How soon it must fire, the long run says.
      fireWithinMs: 20 * 60_000,
      notWaited: 'the long run does',
    }));
    const result = await alertRun({
      faults,
      slow: [],
      slowAfter: 0,
      calmMs: 10_000,
      longRunning: false,
      everyMs: 1_000,
      note: (line) => {
        notes.push(`${new Date().toISOString()} ${line}`);
      },
    });
    expect(failuresOf(result)).toEqual([]);
    expect(result.rows.map(({ alert }) => alert)).toEqual([
      'ResidencyViolation mow-1',
      'ResidencySiteUnwritable zrh-1',
      'ResidencyNoProgress',
    ]);
  },
);
