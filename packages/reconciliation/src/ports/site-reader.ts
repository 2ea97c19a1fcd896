/** One object as its site gives it: bytes and what stands beside them, in one read. */
export interface FoundObject {
  readonly bytes: Buffer;
  /** As found, unchecked; the reconciler judges it. Absent: the bytes stand there without metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One site, read with credentials that may list and get, and nothing else. Errors carry remedy `retry`. */
export interface SiteReader {
  readonly site: string;
  /**
   * The key of everything that stands in the site, in no order, whether it belongs there or not; the site's own marker
   * may be left out. What was created before the call is in it; what is created meanwhile may be.
   */
  list(): AsyncIterable<string>;
  /** `undefined` where nothing stands under the key. */
  read(key: string): Promise<FoundObject | undefined>;
}
