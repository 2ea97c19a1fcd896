/** Where this package says what it did. Fields are an allow-list; a message is ours or the client's, never a record's. */
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
