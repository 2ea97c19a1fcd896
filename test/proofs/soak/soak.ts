import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { HELD } from './observed-services.ts';
import type { Held, Measurement } from './observed-services.ts';
import { soakRun } from './soak-run.ts';
import { trendOf } from './trend.ts';

// `npm run proof:soak -- --minutes 30 --rate 30 --every 60 --seed 1`: a fault every so many
// seconds; exit 1 where a promise was broken.
endOnSignal();
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    warm: { type: 'string', default: '5' },
    every: { type: 'string', default: '60' },
  },
});
const [minutes, rate, seed, warm, every] = [
  values.minutes,
  values.rate,
  values.seed,
  values.warm,
  values.every,
].map(Number) as [number, number, number, number, number];
const { tally, faults, courses } = await soakRun({
  seed,
  minutes,
  rate,
  everyMs: every * 1_000,
  outageMs: 10_000,
  longRunning: true,
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
});
const rows: readonly (readonly [string, string | number])[] = [
  ['seed', seed],
  ['minutes', minutes],
  ['submissions settled', tally.records],
  ['faults', [...faults].map(([name, count]) => `${name}: ${count}`).join(', ')],
  ['lost', tally.lost],
  ['twice', tally.twice],
  ['in the wrong region', tally.wrongRegion],
  ['other faults', tally.other],
  ['reconcile differences', tally.reconcileDifferences],
  ['adjudication differences', tally.adjudicationDifferences],
];
console.log('| | |\n|---|---|');
for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
table(`the first ${warm} minutes`, warm * 60);
table('the first half', minutes * 30);
for (const finding of tally.findings) console.log(finding);
if (tally.failed || tally.findings.length > 0) process.exitCode = 1;

/** The slopes over what followed `omitted`, which lasted so many seconds. */
function table(omitted: string, seconds: number): void {
  console.log(
    `\nSlopes a minute over what followed ${omitted}, with their standard error; in brackets the first and the last look.\n`,
  );
  const columns = Object.keys(HELD) as Held[];
  console.log(`| service | ${columns.join(' | ')} |\n|---|${'---|'.repeat(columns.length)}`);
  for (const { service, course } of courses) {
    const after = course.filter((look) => look.seconds >= seconds);
    console.log(`| ${service} | ${columns.map((held) => cell(after, held)).join(' | ')} |`);
  }
}

function cell(course: readonly Measurement[], held: Held): string {
  const { first, last, slope, standardError } = trendOf(
    course.map((look) => ({ seconds: look.seconds, value: look[held] })),
  );
  return `${slope.toFixed(2)} ± ${standardError.toFixed(2)} (${first.toFixed(0)} to ${last.toFixed(0)})`;
}
