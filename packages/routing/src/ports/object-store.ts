import type { ObjectMetadata } from '@residency/contracts';

export interface ObjectHead {
  readonly metadata: ObjectMetadata;
  /** The sealed message's length. */
  readonly bytes: number;
  readonly versionId?: string;
}

export type CreateResult =
  | { readonly created: true; readonly versionId?: string }
  /** Another object has this key; nothing was changed. */
  | { readonly created: false; readonly existing: ObjectHead };

export interface CreateOptions {
  /**
   * Another site has decided who owns the identity, so the key is free unless a site lost an object.
   * A store that looks for an object before each write need not look before this one.
   */
  readonly decided?: boolean;
  /** See `Owable`. */
  readonly owable?: boolean;
}

/**
 * `owable`: the caller can go on without this site, so the call may be given up early, or refused
 * because the site failed before. It fails with remedy `retry` then, and may be done all the same.
 */
export interface Owable {
  readonly owable?: boolean;
}

/** One site. Create-only: nothing here overwrites or deletes (RECONCILIATION §4). */
export interface ObjectStore {
  readonly site: string;
  /**
   * Creates the object if and only if the key is free. Exactly one of several racing calls creates
   * it. Metadata and bytes become visible together. They are durable once a later `flush` resolves.
   *
   * Throws with remedy `retry` if the site is unreachable, refuses (403, 404) or is full. The
   * object may exist all the same; the caller's next attempt then finds its own object. Throws with
   * remedy `park` if an object exists whose metadata cannot be read. That concerns this record
   * alone.
   */
  create(
    key: string,
    sealed: Uint8Array,
    metadata: ObjectMetadata,
    options?: CreateOptions,
  ): Promise<CreateResult>;
  /** Reads the object's head; `undefined`: no object. Changes nothing. Throws as `create`. */
  head(key: string, options?: Owable): Promise<ObjectHead | undefined>;
  /** Makes all objects durable that this instance created or found. Throws as `create`. */
  flush(options?: Owable): Promise<void>;
}
