import type { AuditEvent, LogRecord, QuarantinePointer } from '@residency/contracts';
import type { CodedError } from '@residency/coded-error';

/** Records of one partition of the intake log, in offset order, none twice, none before the committed position. */
export interface Batch {
  /** The log's name, the first part of a position. */
  readonly log: string;
  readonly topic: string;
  readonly partition: number;
  /** The offset settled before the first record; `null` where the partition has none yet. */
  readonly previous: bigint | null;
  /** At least one; together at most what the source was told to hold, except a single larger record. */
  readonly records: readonly LogRecord[];
  /** Aborted when the partition is taken away or the process stops: what is not settled then will come again. */
  readonly signal: AbortSignal;
}

/** One record's outcome, ready to be made visible. */
export interface Settlement {
  readonly event: AuditEvent;
  /** Present exactly when `event.outcome` is `quarantined`. */
  readonly pointer?: QuarantinePointer;
}

export interface BatchResult {
  /** Of the batch's first records, in order, without a gap. */
  readonly settlements: readonly Settlement[];
  /** Why the batch ends before its last record. Absent: it does not. The rest is to be handed over again. */
  readonly blocked?: Blocked;
}

export interface Blocked {
  readonly offset: bigint;
  /** Of the record, where it names one: W3C Trace Context. */
  readonly traceparent?: string;
  readonly error: CodedError;
  /** The least time before the next attempt, milliseconds; absent: the source's own back-off. */
  readonly retryAfterMs?: number;
}

/** Decides and places a batch. Throws only where a person must look (`stop`), never for what one record holds. */
export type RouteBatch = (batch: Batch) => Promise<BatchResult>;

export interface ConsumeOptions {
  /** `end`: return once everything that stood in the log at the call is settled, or the first batch was blocked. `aborted`: go on until `signal` is. */
  readonly until: 'end' | 'aborted';
  readonly signal: AbortSignal;
  /** Told of each batch once what it returned is visible: for metrics and tables. A batch that did not settle is not told of. */
  readonly settled?: (result: BatchResult, partition: number) => void;
}

/** The intake log as its consumer sees it. Several may consume one log; then each partition has one owner at a time. */
export interface SubmissionLog {
  /**
   * Hands batches to `route` and settles what it returns: audit events, quarantine pointers and progress become visible
   * together or not at all, and only then is the next batch of that partition read. Waits with back-off and hands over
   * again where a batch was blocked. Lost ownership and unknown outcomes are the log's to mend: it re-reads the
   * committed position and goes on. Rejects with what `route` threw, with `PROGRESS_LOST` where the committed position
   * lies below the log's start, and with the log's own coded errors where a person must look. Resolves with the last
   * block where `until` is `end` and there was one.
   */
  consume(route: RouteBatch, options: ConsumeOptions): Promise<Blocked | undefined>;
}
