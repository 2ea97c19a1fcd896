/** A record of one partition of the audit log. */
export interface AuditFeedRecord {
  /** In the audit topic. Strictly increasing in a partition; not without gaps. */
  readonly offset: bigint;
  /** As found, unchecked. */
  readonly value: Buffer | null;
}

/**
 * The settled audit events. Errors have the remedy `retry`; `stop` if the log has another end or
 * start than the requested offset implies.
 */
export interface AuditFeed {
  /** The partitions of the audit log, ascending. */
  partitions(): Promise<readonly number[]>;
  /** A partition's settled records from an offset on, in order, up to the end at the call. */
  read(partition: number, from: bigint): AsyncIterable<AuditFeedRecord>;
}
