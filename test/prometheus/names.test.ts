import { createMetrics } from '@residency/telemetry';
import { describe, expect, test } from 'vitest';
import { alerts, cluster, dashboards, queriesIn, recordings, standalone } from './deployed.ts';
import { unknownIn } from './known.ts';
import { namedIn } from './promql.ts';

const expressions = [
  ...recordings.map(({ record, expr }) => ({ where: record, expr })),
  ...[cluster, standalone].flatMap((one) =>
    one.alerts.map(({ alert, labels, expr }) => ({
      where: `${alert} ${Object.values(labels).join(' ')} of ${one.folder}`,
      expr,
    })),
  ),
  ...alerts.flatMap(({ alert, annotations }) =>
    Object.values(annotations)
      .flatMap(queriesIn)
      .map((expr) => ({ where: `the text of ${alert}`, expr })),
  ),
  ...dashboards.flatMap(({ title, panels, templating }) => [
    ...panels.flatMap((panel) =>
      panel.targets.map(({ refId, expr }) => ({
        where: `${title} / ${panel.title} / ${refId}`,
        expr: expr.replaceAll(/=~?"\$\w+"/g, '=""'),
      })),
    ),
    ...templating.list
      .filter(({ type }) => type === 'query')
      .map(({ name, query }) => ({ where: `${title} / $${name}`, expr: variableOf(query) })),
  ]),
];

/** `label_values(metric{...}, label)` as the equivalent `count by (label) (metric{...})`. */
function variableOf(query: string | { readonly query: string }): string {
  const [, metric = '', label = ''] =
    /^label_values\((.+), (\w+)\)$/.exec(typeof query === 'string' ? query : query.query) ?? [];
  return `count by (${label}) (${metric})`;
}

test.each(expressions)('every name in $where exists', ({ expr }) => {
  expect(namedIn(expr).metrics).not.toEqual([]);
  expect(unknownIn(expr)).toEqual([]);
});

describe('a name that does not exist is found', () => {
  test.each([
    [
      'sum by (region) (rate(residency_submissions_totals[5m]))',
      ['residency_submissions_totals', 'region'],
    ],
    ['rate(residency_settlement_age_seconds[5m])', ['residency_settlement_age_seconds']],
    ['rate(residency_waiting_bucket[5m])', ['residency_waiting_bucket']],
    [
      'deployment:residency_settlement_slow:ratio_rate2m',
      ['deployment:residency_settlement_slow:ratio_rate2m'],
    ],
    ['sum by (regoin) (residency_submissions_total)', ['regoin']],
    ['residency_submissions_total{site="zrh-1"}', ['residency_submissions_total{site="zrh-1"}']],
    [
      'residency_submissions_total{outcome="kept"}',
      ['residency_submissions_total{outcome="kept"}'],
    ],
    [
      'residency_control_state{state=~"paused|drained"}',
      ['residency_control_state{state=~"paused|drained"}'],
    ],
    [
      'residency_waiting{code=~"SITE_.+|SITE_AWAY"}',
      ['residency_waiting{code=~"SITE_.+|SITE_AWAY"}'],
    ],
    ['residency_waiting{code="SITE_DOWNN"}', ['residency_waiting{code="SITE_DOWNN"}']],
    [
      'residency_settlement_age_seconds_bucket{le="61"}',
      ['residency_settlement_age_seconds_bucket{le="61"}'],
    ],
    ['residency_ledger_size{job="router"}', ['residency_ledger_size{job="router"}']],
    ['up{job="projector"}', ['up{job="projector"}']],
    [
      'site:residency_store_failures:ratio_rate5m{code="SITE_FULL"}',
      ['site:residency_store_failures:ratio_rate5m{code="SITE_FULL"}'],
    ],
    ['label_replace(residency_waiting, "a", "$1", "b", "(.+)")', ['b']],
    ['residency_waiting{job="router"} and on (site) residency_waiting', ['site']],
  ])('%s', (expression, unknown) => {
    expect(unknownIn(expression)).toEqual(unknown);
  });

  test.each(expressions)('in $where, if one letter of a metric is wrong', ({ expr }) => {
    const name = namedIn(expr).metrics[0]?.name ?? '';
    expect(unknownIn(expr.replaceAll(name, `${name}x`))).toContain(`${name}x`);
  });
});

test("the process metrics in use are prom-client's", async () => {
  const { body } = await createMetrics({ service: 'router', version: '0', now: Date.now }).render();
  for (const name of new Set(
    expressions
      .flatMap(({ expr }) => namedIn(expr).metrics.map((metric) => metric.name))
      .filter((name) => /^(?:process|nodejs)_/.test(name)),
  ))
    expect(body).toMatch(new RegExp(`^${name} `, 'm'));
});
