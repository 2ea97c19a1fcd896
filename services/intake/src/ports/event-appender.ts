import type { LogEntry, Position } from '@residency/contracts';

export interface EventAppender {
  /**
   * Appends all entries or none; resolves, once they are durable, with their positions in the order given.
   * Throws coded errors (`LOG_FULL`, `LOG_BUSY` and the like); the publisher retries. A call whose outcome is unknown
   * throws too: what it may have kept comes again and is settled as a duplicate.
   */
  append(entries: readonly LogEntry[]): Promise<readonly Position[]>;
}
