import type { EnvironmentReader } from '../environment-reader.ts';

export interface StatusConfiguration {
  /** Base addresses of services' probes and metrics; empty: no service is asked. */
  readonly metricsUrls: readonly string[];
}

export function readStatus(reader: EnvironmentReader): StatusConfiguration {
  return { metricsUrls: reader.get('RESIDENCY_METRICS_URLS') ?? [] };
}
