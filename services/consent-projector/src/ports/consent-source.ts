import type { LogRecord } from '@residency/contracts';

/** The consent log as the projector reads it: partition 0 of `threat.consents`. */
export interface ConsentSource {
  /** First part of positions. */
  readonly log: string;
  /**
   * Committed records from offset `from` on, in order, each once; from the first there is where `from` is absent or lies before it
   * (compaction leaves holes). Waits at the end for more. Ends without an error once `signal` is aborted or the consumer returns;
   * what fails throws with remedy `retry` where reading anew may help.
   */
  batches(from: bigint | undefined, signal: AbortSignal): AsyncIterable<readonly LogRecord[]>;
  /** Offset the next record will get. */
  end(): Promise<bigint>;
}
