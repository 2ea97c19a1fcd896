import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { quantile, seconds } from '../percentiles.ts';
import { siteAwayRun } from './site-away-run.ts';
import type { Phase } from './site-away-run.ts';

// `npm run proof:site-away -- --minutes 10 --rate 20 --seed 1 --how stopped`; exit 1 where a promise
// was broken.
endOnSignal();
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    how: { type: 'string', default: 'stopped' },
  },
});
const [minutes, rate, seed] = [values.minutes, values.rate, values.seed].map(Number) as [
  number,
  number,
  number,
];
const how = values.how === 'frozen' ? 'frozen' : 'stopped';
/** While the site is away. */
const MOST_STILL_MS = 10_000;
const MOST_P99_MS = 10_000;
const result = await siteAwayRun({
  seed,
  awayMs: minutes * 60_000,
  besideMs: 60_000,
  rate,
  how,
  routers: 2,
  partitions: 4,
  longRunning: true,
  rclone: true,
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
});
const { tally, phases, owed, copied, payingMs, untilPaidMs, samples, rclone } = result;
const away = phases.find(({ name }) => name === 'away');
if (away === undefined || !(away.standstill.partitionMs <= MOST_STILL_MS))
  tally.find(seed, `a partition stood still longer than ${MOST_STILL_MS} ms while zrh-2 was away`);
if (away === undefined || !(quantile(away.waits, 0.99) < MOST_P99_MS))
  tally.find(seed, `p99 to settlement was not below ${MOST_P99_MS} ms while zrh-2 was away`);
const rows: readonly (readonly [string, string | number])[] = [
  ['seed', seed],
  [`minutes in which zrh-2 was ${how}`, minutes],
  ['submissions a second / settled in all', `${rate} / ${tally.records}`],
  ['copies owed by `stored` events', owed],
  ['copies made, each with one event', copied],
  ['copies a second, from the first one to the last', (copied / (payingMs / 1_000)).toFixed(0)],
  ["seconds from the site's return until nothing was owed", seconds(untilPaidMs)],
  ['lost', tally.lost],
  ['twice', tally.twice],
  ['in the wrong region', tally.wrongRegion],
  ['other faults', tally.other],
  ['differences of `reconcile --open`', tally.reconcileDifferences],
  ['adjudication differences', tally.adjudicationDifferences],
  ['`rclone check --download` of both sites', rcloneText()],
];
console.log('| | |\n|---|---|');
for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
console.log(
  '\n| zrh-2 | seconds | submissions | nothing settled in any partition, longest s | in the slowest partition | to settlement, median / 99 % / longest s |\n|---|---:|---:|---:|---:|---:|',
);
for (const phase of phases) console.log(rowOf(phase));
for (const finding of tally.findings) console.log(finding);
if (tally.failed || tally.findings.length > 0) process.exitCode = 1;

function rowOf({ name, seconds: length, standstill, waits }: Phase): string {
  const times = [0.5, 0.99, 1].map((share) => seconds(quantile(waits, share))).join(' / ');
  return `| ${name} | ${length.toFixed(0)} | ${waits.length} | ${seconds(standstill.flowMs)} | ${seconds(standstill.partitionMs)} | ${times} |`;
}

function rcloneText(): string {
  if (rclone?.checked !== true) return `not checked: ${rclone?.why ?? 'not asked'}`;
  return `${rclone.equal} of ${samples} equal, ${rclone.others.length} others`;
}
