/** What the log says it settled. Errors carry remedy `retry`. */
export interface AuditTrail {
  /**
   * Every audit event's bytes, each partition's in its order, partitions in any order or interleaved. Of each partition
   * at least what was visible at the call, and nothing behind a hole: a prefix.
   */
  events(): AsyncIterable<Buffer>;
  /**
   * The last settled offset of every partition of the intake log, under `<log>/<topic>/<partition>`; `-1n` where nothing
   * is settled yet. A partition that is absent is none of this log's. An offset becomes visible here and its event in
   * `events()` at the same instant.
   */
  committed(): Promise<ReadonlyMap<string, bigint>>;
  /** The offset the next record of every partition of the intake log will get, under the same names. */
  end(): Promise<ReadonlyMap<string, bigint>>;
  /** Every quarantine pointer's bytes. A pointer becomes visible at the same instant as its event. */
  pointers(): AsyncIterable<Buffer>;
  /** Where, in the audit log, an event stands that the log's look-up tables do not know or know otherwise, or that they alone know. */
  lookupDifferences(): AsyncIterable<string>;
}
