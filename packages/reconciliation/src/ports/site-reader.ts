/** One object as its site gives it: bytes and what stands beside them, in one read. */
export interface FoundObject {
  readonly bytes: Buffer;
  /** As found, unchecked; the reconciler judges it. Absent: the bytes stand there without metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Something that stands in a site. */
export interface FoundEntry {
  readonly key: string;
  /** Nothing a router writes, whatever its key: a link or a special file, or what has no business where it stands. */
  readonly foreign: boolean;
}

/** One site, read with credentials that may list and get, and nothing else. Errors carry remedy `retry`. */
export interface SiteReader {
  readonly site: string;
  /**
   * Everything that stands in the site, in no order, whether it belongs there or not; the site's own marker and what
   * routers write beside objects may be left out, if it is that. What was created before the call is in it; what is created meanwhile may be.
   */
  list(): AsyncIterable<FoundEntry>;
  /** `undefined` where no object stands under the key; what is listed as foreign is none. */
  read(key: string): Promise<FoundObject | undefined>;
}
