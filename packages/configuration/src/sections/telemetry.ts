import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

export interface TelemetryConfiguration {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export function readTelemetry(reader: EnvironmentReader): TelemetryConfiguration | undefined {
  return complete({ logLevel: reader.get('RESIDENCY_LOG_LEVEL') });
}
