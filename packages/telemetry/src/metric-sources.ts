/** The services that have metrics; `standalone` is all in one process. */
export const METRIC_SOURCES = [
  'router',
  'consent-projector',
  'intake',
  'auditor',
  'reconciler',
  'custodian',
  'exporter',
  'standalone',
] as const;
export type MetricSource = (typeof METRIC_SOURCES)[number];
