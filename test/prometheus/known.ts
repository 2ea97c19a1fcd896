import { METRICS, METRIC_SOURCES } from '@residency/telemetry';
import type { MetricDefinition, MetricName } from '@residency/telemetry';
import { files, text } from '../architecture/tree.ts';
import { recordings } from './deployed.ts';
import { namedIn } from './promql.ts';
import type { Matcher } from './promql.ts';

/** Every error's code, reason, difference and finding that the code can name. */
const CODES: ReadonlySet<string> = new Set(
  files('{packages,services}/*/src/**/*.ts').flatMap((path) =>
    [...text(path).matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/g)].map(([, found = '']) => found),
  ),
);

/** Of Prometheus itself and of prom-client's, as far as anybody asks for them. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  up: [],
  ALERTS: ['alertname', 'alertstate'],
  process_start_time_seconds: [],
};
/** What Prometheus adds to every series. */
const TARGET = ['job', 'instance'];

const definitionOf = (name: string): MetricDefinition | undefined =>
  Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : undefined;

/** Its metric's definition, and the labels it has as a series; `undefined`: there is no such metric. */
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

/** What an expression names that there is not: metrics, labels, and values that no series can have. */
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
  const told = `${name}{${label}${operator}"${value}"}`;
  if (!labels.includes(label)) return [told];
  return isPossible(value, operator.includes('~'), valuesOf(label, definition)) &&
    madeBy(matcher, definition)
    ? []
    : [told];
}

/** All values a label may have, where they are known; else `undefined`. */
function valuesOf(
  label: string,
  definition: MetricDefinition | undefined,
): Iterable<string> | undefined {
  if (label === 'job') return METRIC_SOURCES;
  if (label === 'code' || label === 'reason') return CODES;
  if (label === 'le')
    return definition?.buckets?.flatMap((edge) => [String(edge), edge.toFixed(1)]);
  const stated = definition?.labels[label] ?? '';
  // A list, such as `running, paused, draining`; anything else is a description of values that others choose.
  if (label === 'result' && stated.includes('`exists`'))
    return ['ok', 'exists', 'missing', 'conflict', ...CODES];
  return /^\w+(?:, \w+)+$/.test(stated) ? stated.split(', ') : undefined;
}

/** Each alternative of a regular expression has to be a value's. */
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

/** A job that has no such metric matches nothing. */
function madeBy(
  { label, operator, value }: Matcher,
  definition: MetricDefinition | undefined,
): boolean {
  if (label !== 'job' || definition === undefined) return true;
  const jobs = operator.includes('~') ? value.split('|') : [value];
  return jobs.every((job) => (definition.by as readonly string[]).includes(job));
}

/** A code that something here can name. */
export function isCode(word: string): boolean {
  return CODES.has(word);
}
