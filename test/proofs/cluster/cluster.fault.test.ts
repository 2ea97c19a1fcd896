import { expect, onTestFailed, test } from 'vitest';
import { clusterRun } from './cluster-run.ts';
import { ClusterTally } from './tally.ts';

// One broker and two routers end, and one policy version follows another, in 600 submissions: the second version begins while some are still to come;
// `npm run proof:cluster` has more of each, and what is switched off here.
test(
  'with routers and brokers bounced and a policy changed under load nothing is lost, settled twice or placed in the wrong region',
  { timeout: 3_600_000 },
  async () => {
    const tally = new ClusterTally();
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    await clusterRun(
      {
        seed: 1_000_007,
        submissions: 600,
        routers: 3,
        partitions: 4,
        ahead: 200,
        withinMs: 1_800_000,
        longRunning: false,
        router: [],
        broker: ['SIGKILL'],
        projector: [],
        brokerDownMs: 0,
        resize: false,
        policyChanges: 1,
        note: (line) => {
          notes.push(`${new Date().toISOString()} ${line}`);
        },
      },
      tally,
    );
    expect(tally.findings).toEqual([]);
    expect(tally.failed).toBe(false);
    // Otherwise the run would have tested nothing.
    expect(tally.records).toBeGreaterThanOrEqual(600);
    expect(tally).toMatchObject({
      runs: 1,
      routers: { SIGTERM: 1, SIGKILL: 1 },
      brokers: { SIGKILL: 1 },
    });
    expect(new Set(tally.decidedUnder.keys())).toEqual(new Set([1, 2]));
  },
);
