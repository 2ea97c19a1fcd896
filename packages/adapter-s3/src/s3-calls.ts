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
  /** An object stands under the key (412). */
  | { readonly put: 'exists' }
  /** The store could not tell yet: another request for the key was under way (409). Nothing was created. */
  | { readonly put: 'conflict' };

export interface FoundHead {
  /** User metadata as the store gives it. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly versionId?: string;
}

export interface FoundBytes {
  readonly metadata: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly etag?: string;
}

export interface KeyPage {
  readonly keys: readonly string[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: string;
}

/**
 * All that is asked of one bucket: the seam between what this package decides and the SDK. Every call throws an `S3Error` with
 * remedy `retry` where the store does not answer, or answers with a failure; then a put may have created all the same.
 */
export interface S3Calls {
  putIfAbsent(object: NewObject): Promise<PutResult>;
  /** `undefined` for any 404: a HEAD has no body that could tell a missing key from a missing bucket. */
  head(key: string): Promise<FoundHead | undefined>;
  /** `undefined` only where the store says that the key is missing, not the bucket. An object longer than `maxBytes` is given cut, somewhere beyond them. */
  get(key: string, maxBytes: number): Promise<FoundBytes | undefined>;
  /** Keys in any order; pages of at most `maxKeys`. */
  list(
    prefix: string,
    page: { readonly from?: string; readonly maxKeys: number },
  ): Promise<KeyPage>;
  /** Ends calls in work and drops connections; later calls fail. */
  close(): void;
}

/** What a ledger asks besides. */
export interface LedgerCalls extends S3Calls {
  /** Puts the object in the place of the one with this ETag, `undefined` for none. `false`: something else stood there (412, 404), or the store could not tell (409); it was not put. */
  replace(object: NewObject, etag: string | undefined): Promise<boolean>;
}
