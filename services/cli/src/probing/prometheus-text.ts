import { CliError } from '../terminal/cli-error.ts';

/** One line of Prometheus's text format. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Partial<Record<string, string>>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
// One comma may stand at the end, as the format allows.
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\[\\"n])*)"[ \t]*(?:,|$)[ \t]*/y;
const SAMPLE = new RegExp(
  `^(${NAME})[ \\t]*(?:\\{(.*)\\})?[ \\t]+(\\S+)(?:[ \\t]+-?\\d+)?[ \\t]*$`,
  's',
);
const TYPE = new RegExp(`^# TYPE (${NAME}) (?:counter|gauge|histogram|summary|untyped)$`);
const HELP = new RegExp(`^# HELP ${NAME}(?: .*)?$`, 's');
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
// As Prometheus reads them, in either case: prom-client writes `Nan`.
const NOT_FINITE: ReadonlyMap<string, number> = new Map([
  ['+inf', Infinity],
  ['inf', Infinity],
  ['-inf', -Infinity],
  ['nan', NaN],
]);

/**
 * Text format 0.0.4 as a service of ours renders it; throws `METRICS_UNREADABLE` for anything else,
 * whoever answered.
 */
export function parsePrometheusText(text: string): readonly MetricSample[] {
  const types = new Set<string>();
  const series = new Set<string>();
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return [];
    if (line.startsWith('#')) {
      seeComment(line, index, types);
      return [];
    }
    const sample = sampleOf(line, index);
    const key = JSON.stringify([
      sample.name,
      Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ]);
    if (series.has(key)) throw unreadable(index, 'a series that was there before');
    series.add(key);
    return [sample];
  });
}

function seeComment(line: string, index: number, types: Set<string>): void {
  if (line.startsWith('# TYPE ')) {
    const name = TYPE.exec(line)?.[1];
    if (name === undefined || types.has(name))
      throw unreadable(index, name === undefined ? 'another type' : 'a second type of a metric');
    types.add(name);
  } else if (line.startsWith('# HELP ') && !HELP.test(line))
    throw unreadable(index, 'a help without a metric');
}

function sampleOf(line: string, index: number): MetricSample {
  const [, name, labels = '', written = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw unreadable(index, 'something else');
  return { name, labels: labelsOf(labels, index), value: numberOf(written, index) };
}

function labelsOf(text: string, index: number): MetricSample['labels'] {
  const labels = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const [whole = '', name = '', value = ''] = LABEL.exec(text) ?? [];
    if (whole === '' || labels.has(name))
      throw unreadable(index, whole === '' ? 'labels that are none' : 'a label twice');
    labels.set(
      name,
      value.replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    );
    at += whole.length;
  }
  return Object.fromEntries(labels);
}

function numberOf(text: string, index: number): number {
  const value =
    NOT_FINITE.get(text.toLowerCase()) ?? (NUMBER.test(text) ? Number(text) : undefined);
  if (value === undefined) throw unreadable(index, 'a value that is no number');
  return value;
}

/** Never with what stood there: whoever answered may be anybody. */
function unreadable(index: number, found: string): CliError {
  return new CliError({
    code: 'METRICS_UNREADABLE',
    message: `Expected Prometheus text, found ${found} in line ${index + 1}; check that the address is a service's.`,
    remedy: 'stop',
  });
}
