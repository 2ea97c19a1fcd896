/** Sizes checked everywhere alike (DESIGN §4 "Limits"); bytes. */
export interface Limits {
  readonly sampleBytes: number;
  /** An intake record's key, headers and value together, and an HTTP body: structured mode is base64. */
  readonly recordBytes: number;
  /** What one router holds of samples at a time. */
  readonly inFlightBytes: number;
}

const MiB = 1024 * 1024;
export const DEFAULT_LIMITS: Limits = {
  sampleBytes: 16 * MiB,
  recordBytes: 24 * MiB,
  inFlightBytes: 128 * MiB,
};

/** `source` and `id`, each, UTF-8. */
export const IDENTITY_BYTES = 1_024;
/** Any other attribute's value, UTF-8. */
export const ATTRIBUTE_BYTES = 256;
/** One audit event's bytes: a ledger leaf has at most 65,535, and a transaction must never meet a record too large. */
export const AUDIT_EVENT_BYTES = 16 * 1024;
