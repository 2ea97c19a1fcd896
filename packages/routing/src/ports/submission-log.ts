import type { AuditEvent, LogEntry, LogRecord } from '@residency/contracts';
import type { CodedError } from '@residency/coded-error';

/**
 * Records of one partition of the intake log, in offset order, each once, none before the committed
 * position.
 */
export interface Batch {
  /** The log's name, the first part of a position. */
  readonly log: string;
  readonly topic: string;
  readonly partition: number;
  /**
   * The last offset before the first record that is settled, or whose commit is in flight; this
   * batch settles only after it. `null`: there is none yet.
   */
  readonly previous: bigint | null;
  /**
   * At least one record. Together at most the configured bytes, except for a single larger record.
   */
  readonly records: readonly LogRecord[];
  /**
   * Aborted when the partition is revoked or the process stops. Records that are not settled then
   * come again.
   */
  readonly signal: AbortSignal;
}

/** One record's outcome, ready to be made visible. */
export interface Settlement {
  readonly event: AuditEvent;
  /** `event` as the audit log gets it, so that encoding it cannot fail any more. */
  readonly audit: LogEntry;
  /** The pointer; present exactly when `event.outcome` is `quarantined`. */
  readonly quarantine?: LogEntry;
}

export interface BatchResult {
  /** For the batch's first records, in order, without a gap. */
  readonly settlements: readonly Settlement[];
  /**
   * Why the batch ends before its last record; absent: it does not. The remaining records are
   * handed over again.
   */
  readonly blocked?: Blocked;
}

export interface Blocked {
  readonly offset: bigint;
  /** The record's W3C Trace Context, if it has one. */
  readonly traceparent?: string;
  readonly error: CodedError;
  /**
   * Returns the sites that hold bytes of the record or cannot answer. Absent: the record reached no
   * site.
   */
  readonly bytesIn?: () => Promise<readonly string[]>;
  /** The least time before the next attempt, milliseconds; absent: the source's own back-off. */
  readonly retryAfterMs?: number;
}

/**
 * Decides and places a batch. Throws only if a person must act (`stop`), never because of one
 * record's content.
 */
export type RouteBatch = (batch: Batch) => Promise<BatchResult>;

export interface ConsumeOptions {
  /**
   * `end`: return once every record that was in the log at the call is settled, or once a batch
   * ends blocked. `aborted`: go on until `signal` is aborted.
   */
  readonly until: 'end' | 'aborted';
  readonly signal: AbortSignal;
  /**
   * Called once for each batch after its settlements are visible. For metrics and tables. Not
   * called for a batch that did not settle.
   */
  readonly settled?: (result: BatchResult, partition: number) => void;
}

/**
 * The intake log as its consumers see it. Several consumers may share it; each partition has one
 * owner at a time.
 */
export interface SubmissionLog {
  /**
   * Hands batches to `route` and settles the results in order: audit events, quarantine pointers and
   * progress become visible together or not at all. A partition's next batch may be handed over while
   * the one before it is being settled; if that fails, what became of the next one is dropped, and
   * both come again.
   *
   * If a batch was blocked, waits with back-off and hands it over again. After a lost partition or
   * an unknown outcome, the log re-reads the committed position and continues.
   *
   * Rejects with what `route` threw; with `PROGRESS_LOST` if the committed position is below the
   * log's start; and with the log's own coded errors if a person must look. With `until: 'end'`,
   * resolves with the last block, if there was one.
   */
  consume(route: RouteBatch, options: ConsumeOptions): Promise<Blocked | undefined>;
}
