import type { Measurement } from './meter.ts';
import { REGIONS, formatBytes } from './workload.ts';
import type { Workload } from './workload.ts';

/** One run of the router and the run of the floor after it. */
export interface Pair {
  readonly subject: Measurement;
  readonly floor: Measurement;
}

export function pairsTable(
  rows: readonly { readonly workload: Workload; readonly pairs: readonly Pair[] }[],
): string {
  return table(
    [
      'sample',
      'region (sites)',
      'samples',
      'samples/s',
      'MB/s',
      'CPU µs a sample',
      'peak MB',
      'floor samples/s',
      'floor CPU µs a sample',
      'times the floor: median (min–max)',
    ],
    rows.map(({ workload, pairs }) => pairsRow(workload, pairs)),
  );
}

function pairsRow({ bytes, count, region }: Workload, pairs: readonly Pair[]): string[] {
  const of = (value: (pair: Pair) => number): number => median(pairs.map((pair) => value(pair)));
  const seconds = of(({ subject }) => subject.seconds);
  const ratios = pairs.map(({ subject, floor }) => subject.seconds / floor.seconds);
  return [
    formatBytes(bytes),
    `${region} (${REGIONS[region].sites.length})`,
    String(count),
    figure(count / seconds),
    figure((count * bytes) / seconds / 1e6),
    figure((of(({ subject }) => subject.cpuSeconds) * 1e6) / count),
    figure(Math.max(...pairs.map(({ subject }) => subject.peakBytes)) / 1e6),
    figure(count / of(({ floor }) => floor.seconds)),
    figure((of(({ floor }) => floor.cpuSeconds) * 1e6) / count),
    spread(ratios, (ratio) => ratio.toFixed(2)),
  ];
}

export function memoryTable(
  rows: readonly { readonly workload: Workload; readonly subject: Measurement }[],
): string {
  return table(
    ['waiting', 'together', 'peak MB'],
    rows.map(({ workload: { bytes, count }, subject }) => [
      `${count} × ${formatBytes(bytes)}`,
      formatBytes(bytes * count),
      figure(subject.peakBytes / 1e6),
    ]),
  );
}

const PLACE = 'place';

/**
 * The sequential steps, and the concurrent steps within placing, which come from the run with one
 * sample at a time.
 */
export function stepsTable(
  all: Readonly<Record<string, number>>,
  one: Readonly<Record<string, number>>,
): string {
  const within = Object.keys(one).filter((step) => step === 'seal' || step.startsWith('create '));
  const laps = ['read and settle', 'decode', 'views', 'judge', PLACE, 'flush', 'events'];
  const total = (steps: Readonly<Record<string, number>>): number =>
    laps.reduce((sum, lap) => sum + (steps[lap] ?? 0), 0);
  const rows = laps.flatMap((lap) => [
    [lap, figure(all[lap] ?? 0), figure(one[lap] ?? 0)],
    ...(lap === PLACE ? within.map((step) => [`– ${step}`, '', figure(one[step] ?? 0)]) : []),
  ]);
  return table(
    ['step', 'as it runs, µs a sample', 'one sample in work at a time'],
    [...rows, ['together', figure(total(all)), figure(total(one))]],
  );
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    line(head.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...rows.map((row) => line(row)),
  ].join('\n');
}

/** Three digits: more would not be reproducible. */
export function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** `median (min–max)`. */
export function spread(values: readonly number[], show: (value: number) => string): string {
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

/** A line of progress beside the table, on standard error. */
export function note(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}
