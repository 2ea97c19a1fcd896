/**
 * The projector's log; `Logger` of `@residency/telemetry` is one. Messages are constant sentences.
 */
export interface ProjectorDiagnostics {
  info(message: string, fields?: DiagnosticFields): void;
  warn(message: string, fields?: DiagnosticFields): void;
  error(message: string, fields?: DiagnosticFields): void;
}

export interface DiagnosticFields {
  readonly error?: unknown;
  /** `<log>/<topic>/<partition>/<offset>`. */
  readonly position?: string;
}
