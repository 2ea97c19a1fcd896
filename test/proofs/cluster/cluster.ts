import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { clusterRun } from './cluster-run.ts';
import type { Ending } from './fleet.ts';
import { ClusterTally } from './tally.ts';

// `npm run proof:cluster -- --submissions 100000 --runs 1 --seed 1`; exit 1 if a promise was
// broken.
endOnSignal();
const { values } = parseArgs({
  options: {
    submissions: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    within: { type: 'string', default: '180' },
  },
});
const [submissions, runs, seed, rounds, withinMinutes] = [
  values.submissions,
  values.runs,
  values.seed,
  values.rounds,
  values.within,
].map(Number) as [number, number, number, number, number];
const tally = new ClusterTally();
for (let run = 0; run < runs; run += 1) {
  await clusterRun(
    {
      seed: seed + run,
      submissions,
      routers: 3,
      partitions: 4,
      ahead: Math.min(4_000, submissions / 10),
      withinMs: withinMinutes * 60_000,
      longRunning: true,
      router: bounces(rounds),
      broker: bounces(rounds),
      projector: bounces(1),
      brokerDownMs: 30_000,
      resize: true,
      policyChanges: 2,
      note: (line) => {
        process.stderr.write(`${new Date().toISOString()} seed ${seed + run}: ${line}\n`);
      },
    },
    tally,
  );
}
const [first, ...rest] = tally.rows();
for (const [name, value] of [
  ...(first === undefined ? [] : [first]),
  ['seeds', `${seed} to ${seed + runs - 1}`] as const,
  ...rest,
])
  console.log(`| ${name} | ${value} |`);
for (const finding of tally.findings) console.log(finding);
if (tally.failed) process.exitCode = 1;

/** Each round has a clean and a hard end. */
function bounces(rounds: number): readonly Ending[] {
  return Array.from({ length: rounds }, (): readonly Ending[] => ['SIGTERM', 'SIGKILL']).flat();
}
