import { expect, onTestFailed, test } from 'vitest';
import { soakRun } from './soak-run.ts';

test(
  'in a minute of steady traffic with a fault every few seconds nothing is lost, and the other processes keep running',
  { timeout: 600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const { tally, faults, courses } = await soakRun({
      seed: 1_000_011,
      minutes: 1,
      rate: 10,
      everyMs: 9_000,
      longRunning: false,
      note: (line) => {
        notes.push(`${new Date().toISOString()} ${line}`);
      },
    });
    expect(tally.findings).toEqual([]);
    expect(tally.failed).toBe(false);
    expect(tally.records).toBeGreaterThan(300);
    expect(faults.size).toBeGreaterThanOrEqual(2);
    expect(courses).toHaveLength(6);
    for (const { course } of courses) expect(course.length).toBeGreaterThan(3);
  },
);
