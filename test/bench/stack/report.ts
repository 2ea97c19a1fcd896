import { figure, median, spread, table } from '../report.ts';
import { REGIONS, formatBytes } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { rowOf, spreadOf } from './committed.ts';
import type { CommittedRow, CommittedTable, Origin, Spread } from './committed.ts';
import type { Latencies } from './latency.ts';
import type { MainThread } from './main-thread-profile.ts';
import { slopeOf } from './memory.ts';
import type { MemoryCourse } from './memory.ts';
import type { Run } from './runs.ts';
import type { Cost, Steps } from './step-clock.ts';

/** A run of so many routers or of a peer, and the floor's run of the same round. */
export interface StackPair {
  readonly subject: Run;
  readonly floor: Run;
}

export const PEER = 'peer';

export interface Row {
  readonly workload: Workload;
  readonly routers: number | typeof PEER;
  readonly pairs: readonly StackPair[];
}

const LEAST_SHARE = 0.8;
const OTHERS_CORES = 0.1;

/**
 * Other programs kept it from the cores: its figures show their load, too. If the benchmark's own
 * processes use up the cores, as several routers do on two, that is how it always is.
 */
export function isBusy({ share, cores }: Pick<Run, 'share' | 'cores'>): boolean {
  const { machine = 0, ...ours } = cores;
  const others = machine - Object.values(ours).reduce((sum, each) => sum + each, 0);
  return share < LEAST_SHARE && others > OTHERS_CORES;
}

export function isQuiet({ subject, floor }: StackPair): boolean {
  return !isBusy(subject) && !isBusy(floor);
}

export function nameOf({ routers }: Pick<Row, 'routers'>): string {
  if (routers === PEER) return PEER;
  return routers === 1 ? '1 router' : `${routers} routers`;
}

/** Of one router; two and three are compared with it. */
export function rateOf({ workload: { count }, pairs }: Row): number {
  return count / median(pairs.map(({ subject }) => subject.seconds));
}

export function ratesTable(rows: readonly Row[], before: CommittedTable): string {
  return table(
    [
      'sample',
      'region (sites)',
      'routers',
      'samples',
      'samples/s',
      'MB/s',
      'CPU µs a sample',
      'peak MB',
      'floor samples/s',
      'floor CPU µs a sample',
      "times the floor's time: median (min–max)",
      "times the floor's CPU: median (min–max)",
      "committed: times the floor's CPU",
    ],
    rows.map((row) => {
      const {
        workload: { bytes, count },
        routers,
        pairs,
      } = row;
      const of = (value: (pair: StackPair) => number): number =>
        median(pairs.map((pair) => value(pair)));
      return [
        ...name(row.workload),
        String(routers),
        String(count),
        figure(rateOf(row)),
        figure((rateOf(row) * bytes) / 1e6),
        figure((of(({ subject }) => subject.cpuSeconds) * 1e6) / count),
        figure(Math.max(...pairs.map(({ subject }) => subject.peakBytes)) / 1e6),
        figure(count / of(({ floor }) => floor.seconds)),
        figure((of(({ floor }) => floor.cpuSeconds) * 1e6) / count),
        ratio(pairs, ({ seconds }) => seconds),
        ratio(pairs, ({ cpuSeconds }) => cpuSeconds),
        routers === PEER ? '' : committedText(rowOf(before, row.workload, routers)),
      ];
    }),
  );
}

function committedText(
  before: Pick<CommittedRow, 'timesFloorCpu' | 'date' | 'commit'> | undefined,
): string {
  if (before === undefined) return 'none';
  return `${spreadText(before.timesFloorCpu)}, ${before.date}, ${before.commit}`;
}

function spreadText({ median: middle, min, max }: Spread): string {
  return [middle.toFixed(2), ` (${min.toFixed(2)}–${max.toFixed(2)})`].join('');
}

function timesFloor(pairs: readonly StackPair[], of: (run: Run) => number): readonly number[] {
  return pairs.map(({ subject, floor }) => of(subject) / of(floor));
}

/** Of the quiet pairs. */
function ratio(pairs: readonly StackPair[], of: (run: Run) => number): string {
  const quiet = pairs.filter((pair) => isQuiet(pair));
  if (quiet.length === 0) return 'busy';
  const busy = pairs.length - quiet.length;
  return `${spreadText(spreadOf(timesFloor(quiet, of)))}${busy === 0 ? '' : `, ${busy} of ${pairs.length} busy`}`;
}

/** What a row adds to the committed table; `undefined` for a peer, and if a pair was busy. */
export function committedRow(
  { workload: { bytes, region, count }, routers, pairs }: Row,
  origin: Origin,
): CommittedRow | undefined {
  if (routers === PEER || !pairs.every((pair) => isQuiet(pair))) return undefined;
  const micros = (run: (pair: StackPair) => Run): number =>
    Math.round((median(pairs.map((pair) => run(pair).cpuSeconds)) * 1e6) / count);
  return {
    sample: formatBytes(bytes),
    region,
    routers,
    samples: count,
    ...origin,
    cpuMicroseconds: micros(({ subject }) => subject),
    floorCpuMicroseconds: micros(({ floor }) => floor),
    timesFloorTime: spreadOf(timesFloor(pairs, ({ seconds }) => seconds)),
    timesFloorCpu: spreadOf(timesFloor(pairs, ({ cpuSeconds }) => cpuSeconds)),
  };
}

const PARTIES = [
  ['measured', 'router(s), floor or peer'],
  ['endpoint', 'null endpoint'],
  ['broker', 'Kafka broker'],
  ['beside', 'projector, Redis, bench'],
  ['machine', 'the machine, all programs'],
] as const;

/** The cores that each used while the clock ran, and how much of what it wanted the first got. */
export function coresTable(rows: readonly Row[]): string {
  const line = (runs: readonly Run[], what: string, workload: Workload): string[] => [
    ...name(workload),
    what,
    ...PARTIES.map(([party]) => median(runs.map(({ cores }) => cores[party] ?? 0)).toFixed(2)),
    shares(runs),
  ];
  return table(
    [
      'sample',
      'region (sites)',
      'run',
      ...PARTIES.map(([, heading]) => heading),
      'got of what it wanted, %',
    ],
    rows.flatMap(({ workload, routers, pairs }) => [
      line(
        pairs.map(({ subject }) => subject),
        nameOf({ routers }),
        workload,
      ),
      ...(routers === 1
        ? [
            line(
              pairs.map(({ floor }) => floor),
              'floor',
              workload,
            ),
          ]
        : []),
    ]),
  );
}

function shares(runs: readonly Run[]): string {
  const busy = runs.filter((run) => isBusy(run)).length;
  return `${spread(
    runs.map(({ share }) => share * 100),
    (percent) => percent.toFixed(0),
  )}${busy === 0 ? '' : ', busy'}`;
}

export function latencyTable(
  rows: readonly { readonly workload: Workload; readonly latencies: Latencies }[],
): string {
  return table(
    [
      'sample',
      'region (sites)',
      'samples/s',
      'samples',
      'event appended: p50 ms',
      'p99 ms',
      'event visible: p50 ms',
      'p99 ms',
      'longest ms',
    ],
    rows.map(({ workload, latencies: { perSecond, appended, visible } }) => [
      ...name(workload),
      figure(perSecond),
      String(visible.length),
      ...[
        quantile(appended, 0.5),
        quantile(appended, 0.99),
        quantile(visible, 0.5),
        quantile(visible, 0.99),
        quantile(visible, 1),
      ].map((value) => figure(value)),
    ]),
  );
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * The first tenth is start-up: libraries are compiled and buffers grow. The slope leaves it out.
 */
export function memoryTable({ samples, seconds, course, peakBytes }: MemoryCourse): string {
  const megabytes = (bytes: number): string => figure(bytes / 1e6);
  const steady = course.slice(Math.floor(course.length / 10));
  return table(
    [
      'minutes',
      'samples',
      'samples/s',
      'MB at the start',
      'after a tenth',
      'median',
      'at the end',
      'slope from there, MB a minute',
      'peak',
    ],
    [
      [
        (seconds / 60).toPrecision(3),
        String(samples),
        figure(samples / seconds),
        megabytes(course[0]?.bytes ?? 0),
        megabytes(steady[0]?.bytes ?? 0),
        megabytes(median(steady.map(({ bytes }) => bytes))),
        megabytes(course.at(-1)?.bytes ?? 0),
        (slopeOf(steady) / 1e6).toFixed(2),
        megabytes(peakBytes),
      ],
    ],
  );
}

const PLACE = 'place';
const LAPS = ['wait for records', 'decode', 'views', 'judge', PLACE, 'flush', 'events', 'settle'];

/**
 * The sequential steps, and the concurrent steps within placing, which come from the run with one
 * sample at a time.
 */
export function stepsTable(all: Steps, one: Steps): string {
  const within = Object.keys(one).filter((step) => !LAPS.includes(step));
  const cells = (cost: Cost | undefined): string[] => [
    figure(cost?.wall ?? 0),
    figure(cost?.cpu ?? 0),
  ];
  const rows = LAPS.flatMap((lap) => [
    [lap, ...cells(all[lap]), ...cells(one[lap])],
    ...(lap === PLACE ? within.map((step) => [`– ${step}`, '', '', ...cells(one[step])]) : []),
  ]);
  return table(
    [
      'step',
      'as it runs: µs a sample',
      'CPU µs',
      'one sample in work at a time: µs a sample',
      'CPU µs',
    ],
    [...rows, ['together', ...cells(together(all)), ...cells(together(one))]],
  );
}

function together(steps: Steps): Cost {
  return LAPS.reduce(
    (sum, lap) => ({
      wall: sum.wall + (steps[lap]?.wall ?? 0),
      cpu: sum.cpu + (steps[lap]?.cpu ?? 0),
    }),
    { wall: 0, cpu: 0 },
  );
}

const WAITING = 'waiting';

export function mainThreadTable(mainThread: MainThread): string {
  const busy = Object.entries(mainThread)
    .filter(([asker]) => asker !== WAITING)
    .toSorted(([, a], [, b]) => b - a);
  const total = busy.reduce((sum, [, microseconds]) => sum + microseconds, 0);
  const line = (what: string, microseconds: number): string[] => [
    what,
    figure(microseconds),
    ((microseconds / total) * 100).toFixed(1),
  ];
  return table(
    ['part', 'main thread, µs a sample', '% of its busy time'],
    [
      ...busy
        .filter(([, microseconds]) => microseconds >= total / 200)
        .map(([asker, microseconds]) => line(asker, microseconds)),
      line('busy', total),
      [WAITING, figure(mainThread[WAITING] ?? 0), ''],
    ],
  );
}

function name({ bytes, region }: Workload): [string, string] {
  return [formatBytes(bytes), `${region} (${REGIONS[region].sites.length})`];
}
