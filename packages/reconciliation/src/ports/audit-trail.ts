/**
 * The settled events, custody events, pointers and progress of a log. Errors have the remedy
 * `retry`.
 */
export interface AuditTrail {
  /**
   * The bytes of every audit event, in order within each partition; partitions may be interleaved.
   * Returns at least the events that were visible at the call, and of each partition a prefix
   * without gaps.
   */
  events(): AsyncIterable<Buffer>;
  /**
   * The bytes of every custody event of all regions that the policy log names, in order within each
   * region; regions may be interleaved. Returns at least the events that were visible at the call. A
   * region's custody log that does not exist yet has none.
   */
  custody(): AsyncIterable<Buffer>;
  /**
   * The last settled offset of every partition of the intake log, by `<log>/<topic>/<partition>`;
   * `-1n`: nothing is settled yet. Partitions of other logs are absent. An offset becomes visible
   * here at the same instant as its event in `events()` (RECONCILIATION §3).
   */
  committed(): Promise<ReadonlyMap<string, bigint>>;
  /**
   * The offset that the next record of every partition of the intake log will get, by the same
   * names.
   */
  end(): Promise<ReadonlyMap<string, bigint>>;
  /**
   * The bytes of every quarantine pointer. A pointer becomes visible at the same instant as its
   * event.
   */
  pointers(): AsyncIterable<Buffer>;
  /**
   * Positions at which the audit log's look-up tables disagree with the events: an entry is
   * missing, differs, or has no event.
   */
  lookupDifferences(): AsyncIterable<string>;
}
