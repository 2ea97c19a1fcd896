/** A record of a region's custody log. */
export interface CustodyRecord {
  /** In the log. Strictly increasing; not without gaps. */
  readonly offset: bigint;
  /** As found, unchecked; empty for a record without a value. */
  readonly value: Buffer;
}

/** A region's custody log, as a reader sees it. */
export interface CustodyReading {
  /** The log's name, the first part of positions. */
  readonly log: string;
  readonly region: string;
  /**
   * The records from an offset on, in order, up to the end at the call; absent: all. Throws with remedy
   * `retry` if the log cannot be read. If the log ends before `from`: throws with `stop`, or there are
   * none.
   */
  read(from?: bigint): AsyncIterable<CustodyRecord>;
}

/**
 * A region's custody log, as whoever has the right to append sees it. Nothing that an earlier owner
 * began can still be appended after a `read` began.
 */
export interface CustodyLog extends CustodyReading {
  /**
   * Appends all values or none; visible and durable once it resolves. Returns the offset of the last
   * one; -1: there is none, or it is not known. One call at a time. `values` are encoded custody events
   * of this region, else it rejects with `INVALID_CUSTODY_EVENT` (stop) and appends nothing. Rejects
   * with `FENCED` (retry) if another owner was opened since, and with remedy `retry` if the outcome is
   * unknown; after any rejection close this and open another.
   */
  append(values: readonly Buffer[]): Promise<bigint>;
  /**
   * Resolves if no other owner had been opened when it was called: asked of the log itself, not of
   * what this process knows. Appends nothing that can be read. One call at a time, together with
   * `append`; rejects as `append`, and has the same consequence.
   */
  confirm(): Promise<void>;
  /** Gives the right back. Never rejects. */
  close(): Promise<void>;
}
