import type { BackOffLimits } from '@residency/routing';
import type { CodedError } from '@residency/coded-error';

export interface KafkaSubmissionLogOptions {
  readonly maxBatchRecords: number;
  /**
   * The most bytes of a batch, unless a single record is larger. A partition holds at most two
   * batches and the records of one fetch; of a batch that commits, only its events.
   */
  readonly maxBatchBytes: number;
  /** A member that sends no heartbeat for this time loses its partitions. */
  readonly sessionTimeoutMs: number;
  /**
   * Below the session timeout, so that readers wait no longer for a dead member's transaction than
   * for its partitions.
   */
  readonly transactionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** The regions whose custody logs' ids settled events record (docs/decisions/0018). */
  readonly regions: readonly string[];
  /**
   * If records wait and none is handed over for this time, the consumer is recreated (kafkajs
   * #1720, #659). Longer than a rebalance may take.
   */
  readonly stallMs: number;
  /** For attempts at a blocked batch, at a partition's producer and at the group. */
  readonly backOff: BackOffLimits;
  /**
   * Called for each failure of the log itself before it is retried, with the partition if the
   * failure concerns one.
   */
  readonly onRetry?: (error: CodedError, partition?: number) => void;
  /**
   * The result of a transaction and its duration in milliseconds. `unknown`: no answer, or an
   * ambiguous one. The committed position shows the result after the next fence.
   */
  readonly onTransaction?: (result: TransactionResult, milliseconds: number) => void;
  /** Called for each assignment of partitions, including the first. */
  readonly onRebalanced?: (partitions: readonly number[]) => void;
  /**
   * Called after each fence, before the partition's first batch. What the routing reads must be no
   * older than the fence: an order that came before it holds. If it rejects, the take-over is tried
   * again.
   */
  readonly fenced?: () => Promise<void>;
  /**
   * Called for each partition that this process owns and whose position is known. Its earlier
   * failures are over, even if no records wait.
   */
  readonly onTakenOver?: (partition: number) => void;
}

export type TransactionResult = 'commit' | 'abort' | 'unknown';

export const KAFKA_SUBMISSION_LOG_DEFAULTS: KafkaSubmissionLogOptions = {
  maxBatchRecords: 500,
  maxBatchBytes: 4 * 1024 * 1024,
  sessionTimeoutMs: 30_000,
  transactionTimeoutMs: 20_000,
  heartbeatIntervalMs: 3_000,
  stallMs: 120_000,
  regions: [],
  backOff: { firstMs: 100, mostMs: 5_000 },
};

/** Throws a `RangeError` if the timeouts do not fit together. */
export function submissionLogOptions(
  given: Partial<KafkaSubmissionLogOptions>,
): KafkaSubmissionLogOptions {
  const options = {
    ...KAFKA_SUBMISSION_LOG_DEFAULTS,
    ...fitting(given.sessionTimeoutMs),
    ...given,
  };
  const {
    sessionTimeoutMs,
    transactionTimeoutMs,
    heartbeatIntervalMs,
    stallMs,
    maxBatchRecords,
    maxBatchBytes,
  } = options;
  if (transactionTimeoutMs >= sessionTimeoutMs)
    throw new RangeError(
      `Expected a transaction time-out below the session time-out of ${sessionTimeoutMs} ms, found ${transactionTimeoutMs} ms.`,
    );
  if (heartbeatIntervalMs * 2 >= sessionTimeoutMs)
    throw new RangeError(
      `Expected at least two heartbeats in the session time-out of ${sessionTimeoutMs} ms, found one each ${heartbeatIntervalMs} ms.`,
    );
  if (stallMs <= sessionTimeoutMs)
    throw new RangeError(
      `Expected to wait longer than the session time-out of ${sessionTimeoutMs} ms before a consumer is made anew, found ${stallMs} ms.`,
    );
  if (maxBatchRecords < 1 || maxBatchBytes < 1)
    throw new RangeError('Expected a batch of at least one record and one byte.');
  return options;
}

/** The other timeouts, in proportion to a chosen session timeout. */
function fitting(sessionTimeoutMs: number | undefined): Partial<KafkaSubmissionLogOptions> {
  if (sessionTimeoutMs === undefined) return {};
  return {
    transactionTimeoutMs: Math.floor((sessionTimeoutMs * 2) / 3),
    heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 10),
    stallMs: Math.max(KAFKA_SUBMISSION_LOG_DEFAULTS.stallMs, sessionTimeoutMs * 2),
  };
}
