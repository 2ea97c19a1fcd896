import { defined } from '@residency/defined';
import { knownOf } from '@residency/observation';
import type { Observed, Readiness } from '@residency/observation';
import { STORE_ANSWERS } from '@residency/telemetry';
import { printable } from '../terminal/output.ts';
import { gauges, growth, histograms, quantile } from './deltas.ts';
import type { Interval } from './deltas.ts';
import type { MetricSample } from '../probing/prometheus-text.ts';
import type { Scrape } from '../probing/scrape.ts';

export interface ServiceRow {
  readonly url: string;
  /** As it names itself; absent: it did not answer. */
  readonly service?: string;
  readonly version?: string;
  readonly ready: boolean;
  readonly waits: readonly string[];
}

/** Durations in seconds; absent: nothing ended between the scrapes. */
interface Durations {
  readonly p50?: number;
  readonly p95?: number;
}

export interface StageRow extends Durations {
  readonly stage: string;
  readonly perSecond: number;
  readonly inFlight: number;
  /** Since a passage ended last, seconds; absent: none ended yet. */
  readonly lastSeconds?: number;
}

export interface SiteRow extends Durations {
  readonly site: string;
  readonly perSecond: number;
  readonly failedPerSecond: number;
  /** Codes of what failed between the scrapes. */
  readonly failures: readonly string[];
}

export interface OutcomeRow {
  readonly outcome: string;
  readonly place: string;
  readonly perSecond: number;
}

export interface ErrorRow {
  readonly code: string;
  readonly service: string;
  readonly secondsAgo: number;
  /** Since the service's start. */
  readonly times: number;
}

export interface CopyRow {
  readonly site: string;
  /** Copies that the site lacks. */
  readonly owed: number;
  /** Since the append of the oldest record whose copy it lacks, seconds; 0: it lacks none. */
  readonly seconds: number;
}

export interface ErasureRow {
  readonly region: string;
  /** Samples that are ordered to be erased and are not, without those on hold. */
  readonly waiting: number;
  readonly held: number;
  /** Since the append of the oldest order that is not carried out, seconds; 0: there is none. */
  readonly seconds: number;
}

export interface ServicesReport {
  readonly services: readonly ServiceRow[];
  readonly stages: readonly StageRow[];
  readonly sites: readonly SiteRow[];
  /** Absent: no custodian was asked, or it has not ended a round. */
  readonly copies?: readonly CopyRow[];
  /** The same. */
  readonly erasures?: readonly ErasureRow[];
  readonly outcomes: readonly OutcomeRow[];
  readonly errors: readonly ErrorRow[];
}

export type Scrapes = ReadonlyMap<string, Observed<Scrape>>;

const ANSWERED: ReadonlySet<string> = new Set(STORE_ANSWERS);
const MOST_ERRORS = 5;
const ERROR_WITHIN_SECONDS = 24 * 60 * 60;

/** What services say, from two scrapes of each. `now`: wall clock, milliseconds. */
export function servicesReport(before: Scrapes, after: Scrapes, now: number): ServicesReport {
  const intervals = [...after].flatMap(([url, one]): Interval[] => {
    const [first, second] = [knownOf(before.get(url)), knownOf(one)];
    return first === undefined || second === undefined
      ? []
      : [
          {
            before: first.samples,
            after: second.samples,
            seconds: Math.max(0.001, (second.at - first.at) / 1_000),
          },
        ];
  });
  const latest = [...after.values()].flatMap((one) => knownOf(one)?.samples ?? []);
  return {
    services: [...after].map(([url, one]) => serviceRow(url, one)),
    stages: stagesOf(intervals, latest, now),
    sites: sitesOf(intervals, latest),
    ...defined({ copies: copiesOf(latest), erasures: erasuresOf(latest) }),
    outcomes: outcomesOf(intervals),
    errors: [...after.values()]
      .flatMap((one) => errorsOf(knownOf(one)?.samples ?? [], now))
      .toSorted((a, b) => a.secondsAgo - b.secondsAgo)
      .slice(0, MOST_ERRORS),
  };
}

function serviceRow(url: string, one: Observed<Scrape>): ServiceRow {
  if ('unknown' in one) return { url, ready: false, waits: [one.unknown.code] };
  const { readiness, samples } = one.known;
  const { service, version } = gauges(samples, 'residency_build_info')[0]?.labels ?? {};
  return {
    url,
    ready: readiness.ready,
    waits: readiness.failed.map(waitOf),
    ...(service === undefined ? {} : { service: name(service) }),
    ...(version === undefined ? {} : { version: name(version) }),
  };
}

function waitOf({ name: check, detail }: Readiness['failed'][number]): string {
  return detail === '' ? check : detail.replace(/^waits: /, '');
}

function stagesOf(
  intervals: readonly Interval[],
  latest: readonly MetricSample[],
  now: number,
): StageRow[] {
  const durations = histograms(intervals, 'residency_stage_duration_seconds', 'stage');
  const passages = byLabel(
    growth(intervals, 'residency_stage_duration_seconds_count', ['stage']).values(),
    'stage',
  );
  const inFlight = gauges(latest, 'residency_stage_in_flight');
  const last = gauges(latest, 'residency_stage_last_completed_timestamp_seconds');
  const stages = [...new Set(inFlight.map(({ labels }) => labels['stage'] ?? ''))];
  return stages.map((stage) => {
    const at = Math.max(
      0,
      ...last.filter(({ labels }) => labels['stage'] === stage).map(({ value }) => value),
    );
    return {
      stage: name(stage),
      perSecond: passages.get(stage) ?? 0,
      ...quantiles(durations.get(stage)),
      inFlight: inFlight
        .filter(({ labels }) => labels['stage'] === stage)
        .reduce((sum, { value }) => sum + value, 0),
      ...(at > 0 ? { lastSeconds: Math.max(0, now / 1_000 - at) } : {}),
    };
  });
}

function sitesOf(intervals: readonly Interval[], latest: readonly MetricSample[]): SiteRow[] {
  const durations = histograms(intervals, 'residency_store_request_duration_seconds', 'site');
  const results = [
    ...growth(intervals, 'residency_store_requests_total', ['site', 'result']).values(),
  ];
  const sites = [
    ...new Set(
      gauges(latest, 'residency_store_requests_total').map(({ labels }) => labels['site'] ?? ''),
    ),
  ].toSorted();
  return sites.map((site) => {
    const ofSite = results.filter(
      ({ labels, perSecond }) => labels['site'] === site && perSecond > 0,
    );
    const failed = ofSite.filter(({ labels }) => !ANSWERED.has(labels['result'] ?? ''));
    const total = (of: typeof ofSite): number =>
      of.reduce((sum, { perSecond }) => sum + perSecond, 0);
    return {
      site: name(site),
      perSecond: total(ofSite),
      failedPerSecond: total(failed),
      failures: failed.map(({ labels }) => name(labels['result'] ?? '')).toSorted(),
      ...quantiles(durations.get(site)),
    };
  });
}

function copiesOf(latest: readonly MetricSample[]): readonly CopyRow[] | undefined {
  const owed = gauges(latest, 'residency_copies_owed');
  if (owed.length === 0) return undefined;
  const ages = gauges(latest, 'residency_copies_owed_age_seconds');
  return owed.map(({ labels: { site = '' }, value }) => ({
    site: name(site),
    owed: value,
    seconds: ages.find(({ labels }) => labels['site'] === site)?.value ?? 0,
  }));
}

function erasuresOf(latest: readonly MetricSample[]): readonly ErasureRow[] | undefined {
  const waiting = gauges(latest, 'residency_erasures_waiting');
  if (waiting.length === 0) return undefined;
  const [held, ages] = (
    ['residency_erasures_held', 'residency_erasure_oldest_age_seconds'] as const
  ).map((metric) => gauges(latest, metric));
  return waiting.map(({ labels: { region = '' }, value }) => {
    const of = (rows: readonly MetricSample[] = []): number =>
      rows.find(({ labels }) => labels['region'] === region)?.value ?? 0;
    return { region: name(region), waiting: value, held: of(held), seconds: of(ages) };
  });
}

function outcomesOf(intervals: readonly Interval[]): OutcomeRow[] {
  return [
    ...growth(intervals, 'residency_submissions_total', ['outcome', 'reason', 'region']).values(),
  ]
    .filter(({ perSecond }) => perSecond > 0)
    .map(({ labels: { outcome = '', reason = '', region = '' }, perSecond }) => ({
      outcome: name(outcome),
      place: name(reason === '' ? region : reason),
      perSecond,
    }))
    .toSorted((a, b) => b.perSecond - a.perSecond);
}

function errorsOf(samples: readonly MetricSample[], now: number): ErrorRow[] {
  const service = name(gauges(samples, 'residency_build_info')[0]?.labels['service'] ?? '');
  const times = byLabel(
    gauges(samples, 'residency_errors_total').map(({ labels, value }) => ({
      labels,
      perSecond: value,
    })),
    'code',
  );
  return gauges(samples, 'residency_last_error_timestamp_seconds').flatMap(
    ({ labels: { code = '' }, value }) => {
      const secondsAgo = Math.max(0, now / 1_000 - value);
      return value > 0 && secondsAgo <= ERROR_WITHIN_SECONDS
        ? [{ code: name(code), service, secondsAgo, times: times.get(code) ?? 0 }]
        : [];
    },
  );
}

function quantiles(buckets: Parameters<typeof quantile>[0] | undefined): Durations {
  const [p50, p95] = [0.5, 0.95].map((q) =>
    buckets === undefined ? undefined : quantile(buckets, q),
  );
  return defined({ p50, p95 });
}

function byLabel(
  values: Iterable<{ readonly labels: MetricSample['labels']; readonly perSecond: number }>,
  label: string,
): ReadonlyMap<string, number> {
  return new Map([...values].map(({ labels, perSecond }) => [labels[label] ?? '', perSecond]));
}

/** Whoever answers chooses the text. */
function name(text: string): string {
  return printable(text).slice(0, 40);
}
