/** An object to be created, whole. */
export interface NewObject {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Of `bytes`, lower-case hex. */
  readonly sha256: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of `bytes`, base64: for the store to check, and asked for where objects are locked. */
  readonly md5?: string;
  /** Default `application/octet-stream`. */
  readonly contentType?: string;
  readonly cacheControl?: string;
}

export type PutResult =
  | { readonly put: 'created'; readonly versionId?: string }
  /** The key exists (412). */
  | { readonly put: 'exists' }
  /** Conflict: another request for the key was in progress (409). Nothing was created. */
  | { readonly put: 'conflict' }
  /**
   * A 2xx answer that is not an object store's (no ETag, or a body): whether anything was created
   * is not known.
   */
  | { readonly put: 'unclear' };

/** What became of a conditional replacement. */
export type ReplaceResult =
  | { readonly put: 'replaced'; readonly versionId?: string }
  /** Another object has the key (412), or none (404). */
  | { readonly put: 'differs' }
  /** As of a `PutResult`. */
  | { readonly put: 'conflict' | 'unclear' };

export interface FoundHead {
  /** User metadata as the store gives it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Absent: the answer did not say. */
  readonly bytes?: number;
  readonly versionId?: string;
}

export interface FoundBytes {
  readonly metadata: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly etag?: string;
  readonly versionId?: string;
}

export interface KeyPage {
  readonly keys: readonly string[];
  /** The start of the next page; absent on the last one. */
  readonly next?: string;
}

/**
 * The requests to one bucket: the seam between what this package decides and what sends it. Every
 * call throws an `S3Error` with remedy `retry` where the store does not answer, or answers with a
 * failure; then a put may have created all the same.
 */
export interface S3Calls {
  putIfAbsent(object: NewObject): Promise<PutResult>;
  /**
   * `undefined` for any 404: a HEAD answer has no body, so a missing key and a missing bucket look
   * the same.
   */
  head(key: string): Promise<FoundHead | undefined>;
  /**
   * As `head`, from a GET of the first byte, for stores and caches whose HEAD says less. Always
   * says `bytes`. `undefined` as `get`.
   */
  peek(key: string): Promise<FoundHead | undefined>;
  /**
   * `undefined` only if the store says that the key, not the bucket, is missing. An object longer
   * than `maxBytes` is truncated at some point beyond it.
   */
  get(key: string, maxBytes: number): Promise<FoundBytes | undefined>;
  /** Keys in any order; pages of at most `maxKeys`. */
  list(
    prefix: string,
    page: { readonly from?: string; readonly maxKeys: number },
  ): Promise<KeyPage>;
  /** No later call uses a connection that was made before: names are resolved anew. */
  renew(): void;
  /** Ends calls in work and drops connections; later calls fail. */
  close(): void;
}

/** One version of an object, or a delete marker. */
export interface FoundVersion {
  readonly key: string;
  /** Absent: the store keeps no versions. */
  readonly versionId?: string;
  /** True for what a request without a version id concerns. */
  readonly isNewest: boolean;
}

/** A multipart upload that was begun and neither completed nor aborted. */
export interface FoundUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** The further calls of a ledger, and of a custodian. */
export interface ReplacingCalls extends S3Calls {
  /** Conditional write: replaces the object with this ETag; `undefined`: creates it. */
  replace(object: NewObject, etag: string | undefined): Promise<ReplaceResult>;
}

/**
 * The further calls of a custodian. Throws `RightMissing` if the store says that a right is missing.
 */
export interface PurgingCalls extends ReplacingCalls {
  /**
   * True if object lock is enabled. False also if the store has no such feature, or does not answer
   * these credentials: then it refuses to delete a locked version.
   */
  isLocked(): Promise<boolean>;
  /** All versions with this prefix, in any order; of a store that keeps none, its objects. */
  versions(prefix: string): Promise<readonly FoundVersion[]>;
  /** Resolves also if there is no such version. */
  deleteVersion(key: string, versionId: string | undefined): Promise<void>;
  /** All unfinished uploads with this prefix. Empty if the store cannot list them. */
  uploads(prefix: string): Promise<readonly FoundUpload[]>;
  /**
   * Begins a multipart upload and returns its id. `undefined`: the store has no such feature, or does
   * not let these credentials begin one (a bucket policy may require a condition of every PUT).
   */
  beginUpload(key: string): Promise<string | undefined>;
  /** Resolves also if there is no such upload. */
  abortUpload(key: string, uploadId: string): Promise<void>;
}
