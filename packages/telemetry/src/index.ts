export { LOG_LEVELS, createLogger } from './logger.ts';
export type { LogLevel, Logger, LoggerOptions } from './logger.ts';
export type { LedgerMetrics } from './ledger-metrics.ts';
export type { LogFields } from './log-fields.ts';
export { createMetrics } from './metrics.ts';
export type { Metrics, MetricsOptions } from './metrics.ts';
