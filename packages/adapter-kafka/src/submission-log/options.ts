import type { BackOffLimits } from '@residency/routing';
import type { CodedError } from '@residency/coded-error';

export interface KafkaSubmissionLogOptions {
  readonly maxBatchRecords: number;
  /** Of a batch, unless a single record is larger. A partition holds at most two of them, and what one fetch brought. */
  readonly maxBatchBytes: number;
  /** A member that gives no sign of life for so long loses its partitions. */
  readonly sessionTimeoutMs: number;
  /** Below the session's, so that nobody waits longer for a dead member's transaction than for its partitions. */
  readonly transactionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** Records wait and none is handed over for so long: the consumer is made anew (kafkajs #1720, #659). Above the time a rebalance may take. */
  readonly stallMs: number;
  /** Between attempts at a blocked batch, at a partition's producer and at the group. */
  readonly backOff: BackOffLimits;
  /** Told of each failure of the log itself that is tried again, with the partition where it is one's. */
  readonly onRetry?: (error: CodedError, partition?: number) => void;
  /** After so many milliseconds. `unknown`: no answer, or one that does not say; the committed position tells after the next fence. */
  readonly onTransaction?: (result: TransactionResult, milliseconds: number) => void;
  /** Told of each assignment of partitions, the first one included. */
  readonly onRebalanced?: (partitions: readonly number[]) => void;
  /** Told of each partition that is ours and whose position is known: what it was tried again for is over, whether records wait or not. */
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
  backOff: { firstMs: 100, mostMs: 5_000 },
};

/** Throws a `RangeError` where the time-outs do not fit together. */
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

/** The other time-outs, in proportion to a session time-out that was chosen. */
function fitting(sessionTimeoutMs: number | undefined): Partial<KafkaSubmissionLogOptions> {
  if (sessionTimeoutMs === undefined) return {};
  return {
    transactionTimeoutMs: Math.floor((sessionTimeoutMs * 2) / 3),
    heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 10),
    stallMs: Math.max(KAFKA_SUBMISSION_LOG_DEFAULTS.stallMs, sessionTimeoutMs * 2),
  };
}
