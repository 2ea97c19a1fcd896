/** One object as its site has it. `metadata`: as found, unchecked; the reconciler judges it. */
export interface FoundObject {
  readonly key: string;
  /** Absent: the bytes stand there without metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One site, read with credentials that may list and get, and nothing else. */
export interface SiteReader {
  readonly site: string;
  /** Every object whose key begins with `samples/`, and whatever else stands in the site that should not; in no order. Errors carry remedy `retry`. */
  list(): AsyncIterable<FoundObject>;
  /** The object's bytes; `undefined` where there is none. */
  read(key: string): Promise<Buffer | undefined>;
}
