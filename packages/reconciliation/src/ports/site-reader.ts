/** One object as its site returns it: bytes and metadata, from one read. */
export interface FoundObject {
  readonly bytes: Buffer;
  /**
   * As found, unchecked; the reconciler judges it. Absent: the object has no metadata.
   */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** An entry of a site's listing. */
export interface FoundEntry {
  readonly key: string;
  /**
   * True if no router and no custodian writes such an entry, whatever its key: a link, a special
   * file, or a file in the wrong place.
   */
  readonly foreign: boolean;
}

/**
 * One site, read with credentials that may only list and get. Errors have the remedy `retry`; if
 * the marker is another site's, `stop`.
 */
export interface SiteReader {
  readonly site: string;
  /**
   * Lists every entry of the site, in no order, foreign entries included. It may leave out the
   * site's marker and the files that routers write beside objects. Entries created before the call
   * are listed; entries created during it may be. Only entries whose keys begin with `prefix` are
   * asked for; others may be among them.
   */
  list(prefix?: string): AsyncIterable<FoundEntry>;
  /** `undefined`: no object has this key. A foreign entry is not an object. */
  read(key: string): Promise<FoundObject | undefined>;
}
