import type { TopicPartition } from '@residency/contracts';
import type { AuditRecord } from '../audit-record.ts';

/**
 * The latest point at which to begin: the record that is leaf `leaf` of the log's ledger, which was
 * appended after `since` (milliseconds).
 */
export interface SourceStart {
  readonly leaf: number;
  readonly since: number;
}

/** A log that has a ledger: one partition of the audit log, or a custody log. */
export interface LedgerSource {
  /** The first part of positions. */
  readonly log: string;
  readonly of: TopicPartition;
  /**
   * Yields the committed records in order, in batches bounded in bytes. The first empty batch means
   * that every record in the log at the call was yielded. Further empty batches come at intervals
   * without new records. Ends only when `signal` is aborted. Throws with remedy `retry` or `stop`.
   */
  follow(start: SourceStart, signal: AbortSignal): AsyncIterable<readonly AuditRecord[]>;
}
