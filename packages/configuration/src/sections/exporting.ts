import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

export interface ExportingConfiguration {
  /** From one read of the sources to the next, milliseconds. */
  readonly intervalMs: number;
}

export function readExporting(reader: EnvironmentReader): ExportingConfiguration | undefined {
  return complete({ intervalMs: reader.get('RESIDENCY_EXPORTER_INTERVAL_MS') });
}
