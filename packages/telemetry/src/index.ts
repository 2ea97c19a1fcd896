export { METRICS } from './catalogue.ts';
export type { MetricDefinition, MetricName } from './catalogue.ts';
export { METRIC_SOURCES } from './metric-sources.ts';
export type { MetricSource } from './metric-sources.ts';
export type { ControlMetrics } from './control-metrics.ts';
export type { CustodianMetrics, CustodyNow } from './custodian-metrics.ts';
export { EXPORTED_SOURCES } from './exporter-metrics.ts';
export type {
  ClusterNames,
  ExportedSource,
  ExporterMetrics,
  QuarantineNow,
} from './exporter-metrics.ts';
export type { HttpMetrics } from './http-metrics.ts';
export { LOG_LEVELS, createLogger } from './logger.ts';
export type { LogLevel, Logger, LoggerOptions } from './logger.ts';
export type { LedgerMetrics } from './ledger-metrics.ts';
export type { LogFields } from './log-fields.ts';
export { createMetrics } from './metrics.ts';
export type { Metrics, MetricsOptions } from './metrics.ts';
export { metricsReference } from './metrics-reference.ts';
export type { ProjectorMetrics } from './projector-metrics.ts';
export type { EndedPass, ReconcilerMetrics } from './reconciler-metrics.ts';
export { STORE_ANSWERS } from './request-metrics.ts';
export type { RequestMetrics } from './request-metrics.ts';
export type { RouterMetrics } from './router-metrics.ts';
export type { AccessResult, VaultMetrics } from './vault-metrics.ts';
export type { SeenViews, ViewsNow } from './view-metrics.ts';
export { VIOLATION_CODES } from './violations.ts';
