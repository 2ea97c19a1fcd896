/**
 * Sizes in bytes that every part of the system checks alike (docs/formats/submission.md "Limits").
 */
export interface Limits {
  readonly sampleBytes: number;
  /**
   * The key, headers and value of an intake record together; also an HTTP body. Structured mode is
   * base64, hence larger than a sample.
   */
  readonly recordBytes: number;
  /** The sample bytes that one router holds at a time. */
  readonly inFlightBytes: number;
}

const MiB = 1024 * 1024;
export const DEFAULT_LIMITS: Limits = {
  sampleBytes: 16 * MiB,
  recordBytes: 24 * MiB,
  inFlightBytes: 128 * MiB,
};

/** The largest `source` and the largest `id`, UTF-8. */
export const IDENTITY_BYTES = 1_024;
/** The largest value of any other attribute, UTF-8. */
export const ATTRIBUTE_BYTES = 256;
/**
 * The largest audit event. A ledger leaf has at most 65,535 bytes, and no record of a transaction
 * may be too large for its topic.
 */
export const AUDIT_EVENT_BYTES = 16 * 1024;
