import { expect, onTestFailed, test } from 'vitest';
import { soakRun } from './soak-run.ts';

// The first seven faults, once each, with outages of 3 s; `npm run proof:soak` has all thirteen, again and
// again, with outages of 10 s.
const FAULTS = [
  'router killed',
  'zrh-2 away for 3 s',
  'custodian killed',
  'projector killed',
  'broker killed',
  'Redis away for 1.5 s',
  'router got SIGTERM',
];

test(
  'in steady traffic with a fault every few seconds nothing is lost, and the other processes keep running',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const { tally, faults, courses } = await soakRun({
      seed: 1_000_011,
      // Only how long seven faults may take.
      minutes: 30,
      rate: 5,
      everyMs: 3_000,
      outageMs: 3_000,
      faults: FAULTS.length,
      longRunning: false,
      note: (line) => {
        notes.push(`${new Date().toISOString()} ${line}`);
      },
    });
    expect(tally.findings).toEqual([]);
    expect(tally.failed).toBe(false);
    expect(tally.records).toBeGreaterThan(80);
    expect([...faults.keys()]).toEqual(FAULTS);
    expect(courses).toHaveLength(6);
    for (const { course } of courses) expect(course.length).toBeGreaterThan(3);
  },
);
