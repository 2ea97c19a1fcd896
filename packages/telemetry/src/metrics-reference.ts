import { METRIC_GROUPS, METRIC_SOURCES } from './catalogue.ts';
import type { MetricDefinition } from './catalogue.ts';

/** docs/reference/metrics.md, whole. */
export function metricsReference(): string {
  return `${[
    '# Metrics',
    "Every service serves these on `/metrics` of its `RESIDENCY_HTTP_PORT`, in Prometheus's text format, beside Node's own process metrics (`process_`, `nodejs_`). Units are\nseconds and bytes. No label's value is ever taken from what somebody sent: what is not on its list is counted as `other`. Rules, alerts and dashboards over them:\n[deploy/prometheus](../../deploy/prometheus/README.md).",
    'This page is made from the code (`metricsReference()` in `packages/telemetry`); a test compares them.',
    ...METRIC_GROUPS.map(({ title, metrics }) => `## ${title}\n\n${table(metrics)}`),
  ].join('\n\n')}\n`;
}

function table(metrics: Readonly<Record<string, MetricDefinition>>): string {
  return [
    '| metric | type | labels | of | what |',
    '|---|---|---|---|---|',
    ...Object.entries(metrics).map(
      ([name, { type, labels, by, help, buckets }]) =>
        `| \`${name}\` | ${type} | ${labelsOf(labels)} | ${by.length === METRIC_SOURCES.length ? 'all' : by.join(', ')} | ${help}${buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')} s.`} |`,
    ),
  ].join('\n');
}

function labelsOf(labels: MetricDefinition['labels']): string {
  return Object.entries(labels)
    .map(([name, values]) => `\`${name}\`: ${values}`)
    .join('; ');
}
