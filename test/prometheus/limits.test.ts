import { LIMITS } from '@residency/observation';
import { METRICS } from '@residency/telemetry';
import { describe, expect, test } from 'vitest';
import { exists } from '../architecture/tree.ts';
import { cluster, recordings, standalone } from './deployed.ts';
import type { AlertRule } from './deployed.ts';

interface Comparison {
  readonly alert: string;
  readonly metric: string;
  readonly side: string;
  readonly seconds: number;
}

const table = Object.values(LIMITS).flatMap(({ seconds, alerts: compared }) =>
  compared.map((one) => ({ ...one, seconds: one.side === 'below' ? -seconds : seconds })),
);

/**
 * The comparisons of an age, a lag or a lead with a number. Only these have limits; rates and
 * shares of time do not.
 */
function comparisons(rules: readonly AlertRule[]): readonly Comparison[] {
  return rules.flatMap(({ alert, expr }) =>
    [
      ...expr.matchAll(
        /(residency_\w+_(?:age|lag|ahead)_seconds)(?:\{[^}]*\})?(?:\[\w+\])?\)*\s*([<>])=?\s*(-?[\d.]+)/g,
      ),
    ].map(([, metric = '', sign, seconds]) => ({
      alert,
      metric,
      side: sign === '>' ? 'above' : 'below',
      seconds: Number(seconds),
    })),
  );
}

const once = (found: readonly Comparison[]): readonly string[] =>
  [
    ...new Set(
      found.map(({ alert, metric, side, seconds }) => `${alert} ${metric} ${side} ${seconds}`),
    ),
  ].toSorted();

describe('the alerts', () => {
  test('of a cluster use exactly the limits of the table', () => {
    expect(once(comparisons(cluster.alerts))).toEqual(once(table));
  });

  test('of one process use the same limits', () => {
    const found = once(comparisons(standalone.alerts));
    expect(found.length).toBeGreaterThan(1);
    expect(once(table)).toEqual(expect.arrayContaining([...found]));
  });

  test('that the table names have a runbook', () => {
    for (const { alert } of table) expect(exists(`docs/runbooks/${alert}.md`)).toBe(true);
  });

  test('a threshold that differs is found', () => {
    const rule = {
      alert: 'ResidencyViewStale',
      expr: 'max by (view) (residency_view_watermark_lag_seconds{view="a"}) > 20',
      labels: {},
      annotations: {},
    };
    expect(comparisons([rule])).toEqual([
      {
        alert: 'ResidencyViewStale',
        metric: 'residency_view_watermark_lag_seconds',
        side: 'above',
        seconds: 20,
      },
    ]);
  });
});

test('the objective of the recording rules and of the histogram is the limit of an outcome', () => {
  const edges = recordings.flatMap(({ expr }) =>
    [...expr.matchAll(/le=~"(\d+)\|/g)].map(([, edge]) => Number(edge)),
  );
  expect([...new Set(edges)]).toEqual([LIMITS.outcomeAge.seconds]);
  expect(METRICS.residency_settlement_age_seconds.buckets).toContain(LIMITS.outcomeAge.seconds);
});
