import { percentiles } from '../../proofs/percentiles.ts';
import { figure, spread, table } from '../report.ts';
import { isBusy } from '../stack/report.ts';
import { SOURCE as LOAD } from '../stack/sample-entry.ts';
import { formatBytes } from '../workload.ts';
import { WAYS } from './erasure-figures.ts';
import type { ErasureBench, ErasureFigures, Round, Stretch, Way } from './erasure-figures.ts';
import { consentTimes } from './erasure-times.ts';
import type { ConsentTimes } from './erasure-times.ts';

/** Withdrawn consents of one size. */
interface Group {
  readonly way: Way;
  readonly size: number;
  readonly times: readonly ConsentTimes[];
}

export function erasureTables(options: ErasureBench, figures: ErasureFigures): string {
  const groups = groupsOf(options, figures);
  return [standTable(options, figures), timesTable(groups), costTable(figures)].join('\n\n');
}

function groupsOf({ sizes }: ErasureBench, { rounds, evidence }: ErasureFigures): readonly Group[] {
  const timesOf = consentTimes(evidence);
  return WAYS.flatMap((way) => {
    const consents = rounds.flatMap(({ ways }) => ways[way].consents);
    return [...new Set(sizes)].map((size) => ({
      way,
      size,
      times: consents
        .filter(({ stored }) => stored.length === size)
        .map((consent) => timesOf(consent)),
    }));
  });
}

function standTable(
  { bytes, sizes, onTheirWay, everyMs }: ErasureBench,
  { reached, rate, evidence, loadAverages }: ErasureFigures,
): string {
  const sent = evidence.intake
    .filter(({ headers }) => headers.get('ce_source')?.toString('utf8') === LOAD)
    .map(({ at }) => at);
  const [first, last] = [Math.min(...sent), Math.max(...sent)];
  const delays = evidence.auditPartitions
    .filter(({ event }) => event.at >= first && event.at <= last)
    .map(({ appendedAt, event }) => appendedAt - event.at);
  return table(
    [
      'sample',
      'router alone, samples/s',
      'load, samples/s',
      'found on the log',
      'outcome after, s',
      'audit events at the end',
      'one by one: samples to erase, a second',
      'load average of each round',
    ],
    [
      [
        formatBytes(bytes),
        figure(reached),
        String(rate),
        figure(sent.length / (Math.max(1, last - first) / 1e3)),
        percentiles(delays),
        evidence.audit.length.toLocaleString('en'),
        figure((average(sizes) + onTheirWay) / (everyMs / 1e3)),
        loadAverages.map((one) => one.toFixed(1)).join(', '),
      ],
    ],
  );
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Times are median / 90 % / longest, in seconds from the withdrawal's append time. */
function timesTable(groups: readonly Group[]): string {
  const some = (milliseconds: readonly number[]): string =>
    milliseconds.length === 0 ? '' : percentiles(milliseconds);
  return table(
    [
      'withdrawn',
      'samples a consent',
      'consents',
      'ordered after, s',
      'a stored sample gone after, s',
      'the whole consent, s',
      'on their way: erased',
      'gone after, s',
      'refused',
    ],
    groups.map(({ way, size, times }) => {
      const onTheirWay = times.flatMap((one) => one.onTheirWay);
      return [
        way,
        String(size),
        String(times.length),
        some(times.map(({ order }) => order)),
        some(times.flatMap(({ stored }) => stored)),
        some(times.map(({ stored }) => Math.max(...stored))),
        String(onTheirWay.length),
        some(onTheirWay),
        String(times.reduce((sum, { refused }) => sum + refused, 0)),
      ];
    }),
  );
}

/** One round of a row. */
interface Part {
  readonly stretch: Stretch;
  readonly count: number;
  /** CPU microseconds each, without what following the load takes. */
  readonly cpu: number;
}

function costTable({ rounds }: ErasureFigures): string {
  const floors = rounds.map(({ floor }) => partOf(floor, floor.count, 0));
  return table(
    ['subject', 'erased', 'a second', 'CPU µs each', 'times the floor', 'cores', 'busy rounds'],
    [
      ['custodian, nothing withdrawn', '', '', '', '', ...loadOf(rounds.map(({ calm }) => calm))],
      ...WAYS.map((way) =>
        costRow(
          `custodian, ${way}`,
          rounds.map((round) => custodianPart(round, way)),
          floors,
        ),
      ),
      costRow('floor', floors, floors),
    ],
  );
}

function custodianPart({ calm, ways }: Round, way: Way): Part {
  const { consents, ...stretch } = ways[way];
  const count = consents.reduce(
    (sum, { stored, before }) => sum + stored.length + before.length,
    0,
  );
  return partOf(stretch, count, calm.cpuSeconds / calm.seconds);
}

/** `besides`: cores that are used without this work. */
function partOf(stretch: Stretch, count: number, besides: number): Part {
  const cpu = ((stretch.cpuSeconds - besides * stretch.seconds) * 1e6) / count;
  return { stretch, count, cpu };
}

function costRow(name: string, parts: readonly Part[], floors: readonly Part[]): readonly string[] {
  const ratios = parts.map(({ cpu }, nth) => cpu / (floors[nth]?.cpu ?? NaN));
  return [
    name,
    String(parts.reduce((sum, { count }) => sum + count, 0)),
    spread(
      parts.map(({ stretch, count }) => count / stretch.seconds),
      figure,
    ),
    spread(
      parts.map(({ cpu }) => cpu),
      figure,
    ),
    parts === floors ? '1' : spread(ratios, (ratio) => ratio.toFixed(2)),
    ...loadOf(parts.map(({ stretch }) => stretch)),
  ];
}

function loadOf(stretches: readonly Stretch[]): readonly string[] {
  return [
    spread(
      stretches.map(({ cpuSeconds, seconds }) => cpuSeconds / seconds),
      (cores) => cores.toFixed(2),
    ),
    `${stretches.filter((stretch) => isBusy(stretch)).length} of ${stretches.length}`,
  ];
}
