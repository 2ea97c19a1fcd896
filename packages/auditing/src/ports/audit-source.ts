import type { AuditRecord } from '../audit-record.ts';

/** Where to begin at the latest: the record that is leaf `leaf` of the partition's ledger, which was appended after `since` (milliseconds). */
export interface SourceStart {
  readonly leaf: number;
  readonly since: number;
}

/** One partition of the audit log. */
export interface AuditSource {
  /** The first part of positions. */
  readonly log: string;
  readonly partition: number;
  /**
   * The committed records in their order, in batches that are bounded in bytes. The first empty batch says that all that stood there at the call has
   * been given; others follow, every while in which nothing was added. Never ends by itself, only where `signal` is aborted. Throws with remedy `retry` or `stop`.
   */
  follow(start: SourceStart, signal: AbortSignal): AsyncIterable<readonly AuditRecord[]>;
}
