import { METRICS, METRIC_SOURCES } from '@residency/telemetry';
import type { MetricDefinition, MetricName } from '@residency/telemetry';
import { files, text } from '../architecture/tree.ts';
import { recordings } from './deployed.ts';
import { namedIn } from './promql.ts';
import type { Matcher } from './promql.ts';

/** Every code in the source: of errors, reasons, differences and findings. */
const CODES: ReadonlySet<string> = new Set(
  files('{packages,services}/*/src/**/*.ts').flatMap((path) =>
    [...text(path).matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/g)].map(([, found = '']) => found),
  ),
);

/** Metrics in use of Prometheus itself and of prom-client. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  up: [],
  ALERTS: ['alertname', 'alertstate'],
  process_start_time_seconds: [],
};
/** The labels that Prometheus adds to every series. */
const TARGET = ['job', 'instance'];

const definitionOf = (name: string): MetricDefinition | undefined =>
  Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : undefined;

/** The definition of a metric and the labels of its series; `undefined`: it does not exist. */
function seriesOf(
  name: string,
): { readonly labels: readonly string[]; readonly definition?: MetricDefinition } | undefined {
  const plain = definitionOf(name);
  if (plain !== undefined)
    return plain.type === 'histogram'
      ? undefined
      : { labels: [...Object.keys(plain.labels), ...TARGET], definition: plain };
  const [, base = '', suffix] = /^(.+)_(bucket|sum|count)$/.exec(name) ?? [];
  const histogram = definitionOf(base);
  if (histogram?.type === 'histogram')
    return {
      labels: [...Object.keys(histogram.labels), ...TARGET, ...(suffix === 'bucket' ? ['le'] : [])],
      definition: histogram,
    };
  if (recordings.some(({ record }) => record === name)) return { labels: levelOf(name) };
  return Object.hasOwn(OTHERS, name) ? { labels: [...(OTHERS[name] ?? []), ...TARGET] } : undefined;
}

/** `site_code:...` has the labels `site` and `code`, `deployment:...` none. */
function levelOf(record: string): string[] {
  const [level = ''] = record.split(':');
  return level === 'deployment' ? [] : level.split('_');
}

/**
 * The names in an expression that do not exist: metrics, labels, and label values that no series
 * can have.
 */
export function unknownIn(expression: string): string[] {
  const { metrics, labels, made, read } = namedIn(expression);
  const all = metrics.map(({ name, matchers }) => ({ name, matchers, series: seriesOf(name) }));
  const has = new Set([...all.flatMap(({ series }) => series?.labels ?? []), ...made]);
  return [
    ...all.filter(({ series }) => series === undefined).map(({ name }) => name),
    ...all.flatMap(({ name, matchers, series }) =>
      series === undefined ? [] : matchers.flatMap((matcher) => wrongIn(name, matcher, series)),
    ),
    ...[...labels, ...read].filter((label) => !has.has(label)),
  ];
}

function wrongIn(
  name: string,
  matcher: Matcher,
  { labels, definition }: NonNullable<ReturnType<typeof seriesOf>>,
): string[] {
  const { label, operator, value } = matcher;
  const selector = `${name}{${label}${operator}"${value}"}`;
  if (!labels.includes(label)) return [selector];
  return isPossible(value, operator.includes('~'), valuesOf(label, definition)) &&
    madeBy(matcher, definition)
    ? []
    : [selector];
}

/** All possible values of a label; `undefined`: unknown. */
function valuesOf(
  label: string,
  definition: MetricDefinition | undefined,
): Iterable<string> | undefined {
  if (label === 'job') return METRIC_SOURCES;
  if (label === 'code' || label === 'reason') return CODES;
  if (label === 'le')
    return definition?.buckets?.flatMap((edge) => [String(edge), edge.toFixed(1)]);
  const stated = definition?.labels[label] ?? '';
  // A list, such as `running, paused, draining`. Any other text describes open values.
  if (label === 'result' && stated.includes('`exists`'))
    return ['ok', 'exists', 'missing', 'conflict', 'unclear', ...CODES];
  return /^\w+(?:, \w+)+$/.test(stated) ? stated.split(', ') : undefined;
}

/** Every alternative of a regular expression must be a possible value. */
function isPossible(
  value: string,
  isRegExp: boolean,
  values: Iterable<string> | undefined,
): boolean {
  if (values === undefined || value === '') return true;
  const all = [...values];
  return isRegExp
    ? value.split('|').every((part) => all.some((one) => new RegExp(`^(?:${part})$`).test(one)))
    : all.includes(value);
}

/** A selector with a job that has no such metric matches nothing. */
function madeBy(
  { label, operator, value }: Matcher,
  definition: MetricDefinition | undefined,
): boolean {
  if (label !== 'job' || definition === undefined) return true;
  const jobs = operator.includes('~') ? value.split('|') : [value];
  return jobs.every((job) => (definition.by as readonly string[]).includes(job));
}

/** True if the word is a code in the source. */
export function isCode(word: string): boolean {
  return CODES.has(word);
}
