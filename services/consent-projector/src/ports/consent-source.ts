import type { LogRecord } from '@residency/contracts';

/** The consent log as the projector reads it: partition 0 of `threat.consents`. */
export interface ConsentSource {
  /** First part of positions. */
  readonly log: string;
  /**
   * Committed records from offset `from` on, in order, each once. If `from` is absent or its record
   * was compacted away, begins at the first record after it. Waits at the end for more. Ends
   * without an error once `signal` is aborted or the consumer returns. Throws with remedy `retry`
   * if a new read may help.
   */
  batches(from: bigint | undefined, signal: AbortSignal): AsyncIterable<readonly LogRecord[]>;
  /**
   * The topic's current id, to detect a topic that was deleted and recreated. `undefined`: the
   * brokers do not support topic ids.
   */
  topicId(): Promise<string | undefined>;
  /** Offset the next record will get. */
  end(): Promise<bigint>;
}
