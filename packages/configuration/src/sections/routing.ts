import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

export interface RoutingConfiguration {
  /** Milliseconds. */
  readonly watermarkMarginMs: number;
  readonly inFlightBytes: number;
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  readonly sessionTimeoutMs: number;
  /** The time that a call to a site gets that may be owed its copy, milliseconds. */
  readonly sitePatienceMs: number;
}

export function readRouting(reader: EnvironmentReader): RoutingConfiguration | undefined {
  return complete({
    watermarkMarginMs: reader.get('RESIDENCY_WATERMARK_MARGIN_MS'),
    inFlightBytes: reader.get('RESIDENCY_IN_FLIGHT_BYTES'),
    maxBatchRecords: reader.get('RESIDENCY_MAX_BATCH_RECORDS'),
    maxBatchBytes: reader.get('RESIDENCY_MAX_BATCH_BYTES'),
    sessionTimeoutMs: reader.get('RESIDENCY_SESSION_TIMEOUT_MS'),
    sitePatienceMs: reader.get('RESIDENCY_SITE_PATIENCE_MS'),
  });
}
