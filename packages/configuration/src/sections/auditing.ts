import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

/** Settings for the process that signs. */
export interface AuditingConfiguration {
  /** A secret: `PRIVATE+KEY+<name>+<id>+<base64>`. It is validated when it is opened. */
  readonly signerKey: string;
  /** The least time between two checkpoints, milliseconds. */
  readonly intervalMs: number;
}

export function readAuditing(reader: EnvironmentReader): AuditingConfiguration | undefined {
  const signerKey = reader.file('RESIDENCY_LEDGER_KEY_FILE')?.trim();
  return complete({ signerKey, intervalMs: reader.get('RESIDENCY_LEDGER_INTERVAL_MS') });
}
