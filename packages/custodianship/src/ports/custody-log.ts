/** A region's custody log, as whoever has the right to append sees it. */
export interface CustodyLog {
  /** The log's name, the first part of positions. */
  readonly log: string;
  readonly region: string;
  /**
   * The values of all records, in order, up to the end at the call; a record without a value is an
   * empty buffer. Nothing that an earlier owner began can still be appended afterwards. Throws with
   * remedy `retry` if the log cannot be read.
   */
  values(): AsyncIterable<Buffer>;
  /**
   * Appends all values or none; visible and durable once it resolves. One call at a time. `values`
   * are encoded custody events of this region, else it rejects with `INVALID_CUSTODY_EVENT` (stop)
   * and appends nothing. Rejects with `FENCED` (retry) if another owner was opened since, and with
   * remedy `retry` if the outcome is unknown; after any rejection close this and open another.
   */
  append(values: readonly Buffer[]): Promise<void>;
  /** Gives the right back. Never rejects. */
  close(): Promise<void>;
}
