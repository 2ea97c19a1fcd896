import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { siteLostRuns } from './site-lost-runs.ts';
import type { SiteLostTally } from './tally.ts';

// `npm run proof:site-lost -- --runs 50 --losses 4 --seed 1`; exit 1 if a promise was broken. After
// `--minutes` no further run begins.
endOnSignal();
// Services start in half the time with the code compiled before, as in vitest.config.ts.
process.env['NODE_COMPILE_CACHE'] ??= join(
  import.meta.dirname,
  '../../../node_modules/.cache/code',
);
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    losses: { type: 'string', default: '4' },
    submissions: { type: 'string', default: '120' },
    minutes: { type: 'string', default: 'Infinity' },
  },
});
const [runs, seed, losses, submissions] = [
  values.runs,
  values.seed,
  values.losses,
  values.submissions,
].map(Number) as [number, number, number, number];
let printed = 0;
const tally = await siteLostRuns({
  runs,
  seed,
  losses,
  submissions,
  minutes: Number(values.minutes),
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
  onRun: ({ runs: done, failedRuns, findings, rows }) => {
    process.stderr.write(`${done} of ${runs} runs, ${failedRuns} with a fault\n`);
    for (const finding of findings.slice(printed)) process.stderr.write(`${finding}\n`);
    printed = findings.length;
    process.stderr.write(`${tableOf(rows, done)}\n`);
  },
});
console.log(tableOf(tally.rows, tally.runs));
for (const finding of tally.findings) console.log(finding);
if (tally.failedRuns > 0) process.exitCode = 1;

function tableOf([first, ...rest]: SiteLostTally['rows'], done: number): string {
  return [
    ...(first === undefined ? [] : [first]),
    ['seeds', `${seed} to ${seed + done - 1}`] as const,
    ...rest,
  ]
    .map(([name, value]) => `| ${name} | ${value} |`)
    .join('\n');
}
