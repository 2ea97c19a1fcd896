import { createMetrics } from '@residency/telemetry';
import {
  array,
  assert,
  constantFrom,
  dictionary,
  double,
  property,
  record,
  string,
  stringMatching,
} from 'fast-check';
import { expect, it } from 'vitest';
import { parsePrometheusText } from '../src/probing/prometheus-text.ts';

it('reads what a service of ours renders', async () => {
  const metrics = createMetrics({ service: 'router', version: '1.2.3', now: () => 5_000 });
  const routing = metrics.routing(['zurich'], []);
  routing.stage('store')();
  metrics.logged('SITE_UNREACHABLE');
  metrics.views((at) => ({ policy: { at, watermark: NaN, versions: [] } }));
  const samples = parsePrometheusText((await metrics.render()).body);
  expect(samples).toContainEqual({
    name: 'residency_build_info',
    labels: { service: 'router', version: '1.2.3' },
    value: 1,
  });
  expect(samples).toContainEqual({
    name: 'residency_last_error_timestamp_seconds',
    labels: { code: 'SITE_UNREACHABLE' },
    value: 5,
  });
  expect(samples).toContainEqual({
    name: 'residency_view_watermark_lag_seconds',
    labels: { view: 'policy' },
    value: NaN,
  });
  expect(
    samples.filter(
      ({ name, labels }) =>
        name === 'residency_stage_duration_seconds_bucket' && labels['le'] === '+Inf',
    ).length,
  ).toBeGreaterThan(0);
});

it('gives back names, labels and values as they were written, whatever a label holds', () => {
  const sample = record({
    name: stringMatching(/^[a-z_:][a-z0-9_:]{0,8}$/),
    labels: dictionary(
      stringMatching(/^[a-z_][a-z0-9_]{0,8}$/),
      string({ unit: 'grapheme' }).filter((text) => !/[\r]/.test(text)),
      { maxKeys: 3, noNullPrototype: true },
    ),
    value: double({ noNaN: false }),
    end: constantFrom('', ' 1700000000000'),
  });
  assert(
    property(array(sample, { maxLength: 5 }), (samples) => {
      const once = [
        ...new Map(
          samples.map((one) => [
            JSON.stringify([
              one.name,
              Object.entries(one.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)),
            ]),
            one,
          ]),
        ).values(),
      ];
      const lines = once.map(({ name, labels, value, end }) => {
        const pairs = Object.entries(labels).map(
          ([label, text]) =>
            `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
        );
        return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'Inf')}${end}`;
      });
      expect(parsePrometheusText(`# HELP a b\n${lines.join('\n')}\n`)).toEqual(
        once.map(({ name, labels, value }) => ({ name, labels, value })),
      );
    }),
  );
});

const canary = 'canary0canary';
it.each([
  ['a page', `<html>${canary}`],
  ['a name that is none', `1${canary} 1`],
  ['no value', canary],
  ['a value that is none', `m ${canary}`],
  ['a value in another base', 'm 0x10'],
  ['more than a value', `m 1 2 ${canary}`],
  ['a label without quotes', `m{a=${canary}} 1`],
  ['an escape that is none', `m{a="\\t${canary}"} 1`],
  ['a label that does not end', `m{a="${canary}} 1`],
  ['a label twice', `m{a="${canary}",a="2"} 1`],
  ['labels without a comma', `m{a="1"b="${canary}"} 1`],
  ['only a comma', `m{,} 1`],
  ['a series twice', 'm{a="1",b="2"} 1\nm{b="2",a="1"} 2'],
  ['another type', `# TYPE m ${canary}`],
  ['a type twice', '# TYPE m gauge\n# TYPE m gauge'],
  ['a help without a metric', `# HELP 1${canary}`],
  ['a carriage return', 'm 1\r\n'],
])('refuses %s, and does not repeat it', (_, text) => {
  let message = '';
  try {
    parsePrometheusText(`# a comment\n${text}\n`);
  } catch (error) {
    expect(error).toMatchObject({ code: 'METRICS_UNREADABLE' });
    message = String(error);
  }
  expect(message).toMatch(/in line [23];/);
  expect(message).not.toContain(canary);
});
