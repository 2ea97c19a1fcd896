import type { LogRecord, TopicPartition } from '@residency/contracts';

/** A record of a log that has a ledger. Everybody with write access to the log controls it. */
export type LedgerRecord = Pick<
  LogRecord,
  'partition' | 'offset' | 'at' | 'key' | 'headers' | 'value'
>;

/**
 * The latest point at which to begin: the record that is leaf `leaf` of the log's ledger, which was
 * appended after `since` (milliseconds).
 */
export interface SourceStart {
  readonly leaf: number;
  readonly since: number;
  /** The record's offset, if the leaf names it. It may be compacted away. */
  readonly offset?: bigint;
}

/** A log that has a ledger: one partition of the audit log, or another log. */
export interface LedgerSource {
  /** The first part of positions. */
  readonly log: string;
  readonly of: TopicPartition;
  /**
   * Yields the committed records in order, in batches bounded in bytes. The first empty batch means
   * that every record in the log at the call was yielded. Further empty batches come at intervals
   * without new records. Ends only when `signal` is aborted. Throws with remedy `retry` or `stop`.
   */
  follow(start: SourceStart, signal: AbortSignal): AsyncIterable<readonly LedgerRecord[]>;
}
