import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { percentiles } from '../percentiles.ts';
import { sigtermRun } from './sigterm-run.ts';

// `npm run proof:sigterm -- --times 50 --seed 1`; exit 1 where a promise was broken.
endOnSignal();
const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    submissions: { type: 'string', default: '400000' },
    partitions: { type: 'string', default: '4' },
    waiting: { type: 'string', default: '3000' },
    batch: { type: 'string', default: '500' },
  },
});
const [times, seed, submissions, partitions, waiting, batch] = [
  values.times,
  values.seed,
  values.submissions,
  values.partitions,
  values.waiting,
  values.batch,
].map(Number) as [number, number, number, number, number, number];
const { tally, endedMs, left, joined, undisturbed } = await sigtermRun({
  seed,
  times,
  submissions,
  routers: 2,
  partitions,
  batch,
  waiting,
  undisturbedMs: 30_000,
  longRunning: true,
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
});
const rows: readonly (readonly [string, string | number])[] = [
  ['seed', seed],
  [
    'routers / partitions / records of a batch / records waiting',
    `2 / ${partitions} / ${batch} / ${waiting}`,
  ],
  ['routers that got SIGTERM', endedMs.length],
  ['submissions settled', tally.records],
  ['submissions a second', Math.round(tally.records / tally.seconds)],
  ['seconds from the signal to exit 0, median / 90 % / longest', percentiles(endedMs)],
  [
    'seconds in which nothing settled, after the signal, median / 90 % / longest',
    percentiles(left.map(({ flowMs }) => flowMs)),
  ],
  ['the same when the next router joined', percentiles(joined.map(({ flowMs }) => flowMs))],
  ['longest in half a minute without a signal', (undisturbed.flowMs / 1_000).toFixed(1)],
  [
    'seconds in which the slowest partition settled nothing, after the signal',
    percentiles(left.map(({ partitionMs }) => partitionMs)),
  ],
  [
    'the same when the next router joined',
    percentiles(joined.map(({ partitionMs }) => partitionMs)),
  ],
  ['longest in half a minute without a signal', (undisturbed.partitionMs / 1_000).toFixed(1)],
  ['lost', tally.lost],
  ['twice', tally.twice],
  ['in the wrong region', tally.wrongRegion],
  ['ended otherwise than with 0, and other faults', tally.other],
  ['reconcile differences', tally.reconcileDifferences],
  ['adjudication differences', tally.adjudicationDifferences],
];
console.log('| | |\n|---|---|');
for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
for (const finding of tally.findings) console.log(finding);
if (tally.failed || tally.findings.length > 0) process.exitCode = 1;
