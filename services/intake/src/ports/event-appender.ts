import type { LogEntry, Position } from '@residency/contracts';

export interface EventAppender {
  /**
   * Appends all entries or none. Resolves once they are durable, with their positions in the given
   * order. Throws coded errors (`LOG_FULL`, `LOG_BUSY` and others); the publisher retries. A call
   * whose outcome is unknown throws too: records that it kept are sent again and settle as
   * duplicates.
   */
  append(entries: readonly LogEntry[]): Promise<readonly Position[]>;
}
