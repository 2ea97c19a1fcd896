import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { replayRun } from './replay-runs.ts';
import type { ReplayRun } from './replay-runs.ts';
import type { Measured } from './run-measured.ts';

// `npm run proof:replay -- --events 1000000 [--under DIR]`; exit 1 if two replays differ, or if an
// event is decided otherwise.
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    under: { type: 'string', default: tmpdir() },
  },
});
const events = Number(values.events);
if (!Number.isSafeInteger(events) || events < 1_000)
  throw new Error('--events: expected a whole number of at least 1000; correct it.');

const tenth = await replayRun(values.under, Math.floor(events / 10));
const whole = await replayRun(values.under, events);
console.log(tableOf([tenth, whole]));
const agree = [tenth, whole].every(
  ({ digests, views, differences }) =>
    new Set(digests).size === 1 && new Set(views).size === 1 && differences === 0,
);
console.log(
  agree
    ? `One digest and the same files from every replay: ${whole.digests[0] ?? ''}. Decided again without a difference.`
    : 'Two replays of one log differ, or an event is decided otherwise.',
);
if (!agree) process.exitCode = 1;

function tableOf(runs: readonly ReplayRun[]): string {
  const rows = runs.flatMap((run) =>
    (
      [
        ['bare consumer', run.bare],
        ['replay', run.replay],
        ['replay --into, by consent too', run.into[0]],
        ['adjudicate', run.adjudicate],
      ] as const
    ).map(([what, measured]) => rowOf(run, what, measured)),
  );
  return [
    '| events | bytes | what | seconds | events/s | CPU µs an event | times the bare consumer: time, CPU | peak MB |',
    '| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
}

function rowOf(
  { generated, bare }: ReplayRun,
  what: string,
  { seconds, cpuSeconds, peakBytes }: Measured,
): string {
  const cells = [
    generated.events.toLocaleString('en-US'),
    `${(generated.bytes / 1e6).toFixed(0)} MB`,
    what,
    seconds.toFixed(1),
    Math.round(generated.events / seconds).toLocaleString('en-US'),
    ((cpuSeconds * 1e6) / generated.events).toFixed(1),
    `${(seconds / bare.seconds).toFixed(2)}, ${(cpuSeconds / bare.cpuSeconds).toFixed(2)}`,
    (peakBytes / 1e6).toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}
