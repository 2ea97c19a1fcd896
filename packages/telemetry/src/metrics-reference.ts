import { METRIC_GROUPS } from './catalogue.ts';
import { METRIC_SOURCES } from './metric-sources.ts';
import type { MetricDefinition } from './catalogue.ts';

/** The whole text of docs/reference/metrics.md. */
export function metricsReference(): string {
  return `${[
    '# Metrics',
    "Every service serves these on `/metrics` of its `RESIDENCY_HTTP_PORT`, in Prometheus's text format, beside Node's own process metrics (`process_`, `nodejs_`). Units are\nseconds and bytes. No label takes its value from input: a value that is not on the label's list is counted as `other`. Alert rules and dashboards for these metrics:\n[deploy/prometheus](../../deploy/prometheus/README.md).",
    'This page is generated from the code (`metricsReference()` in `packages/telemetry`); a test compares them.',
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
