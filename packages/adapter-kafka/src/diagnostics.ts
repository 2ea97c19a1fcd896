/**
 * The log of this package. Its fields are an allow-list. A message comes from this package or from
 * kafkajs, never from a record.
 */
export interface DiagnosticFields {
  readonly code?: string;
  readonly error?: unknown;
  readonly partition?: number;
}

/** `Logger` of `@residency/telemetry` is one. */
export interface KafkaDiagnostics {
  debug(message: string, fields?: DiagnosticFields): void;
  info(message: string, fields?: DiagnosticFields): void;
  warn(message: string, fields?: DiagnosticFields): void;
  error(message: string, fields?: DiagnosticFields): void;
}
