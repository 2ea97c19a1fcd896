import type { ObjectMetadata } from '@residency/contracts';

export interface ObjectHead {
  readonly metadata: ObjectMetadata;
  /** The sealed message's length. */
  readonly bytes: number;
  readonly versionId?: string;
}

export type CreateResult =
  | { readonly created: true; readonly versionId?: string }
  /** Somebody's object already stands there; nothing was changed. */
  | { readonly created: false; readonly existing: ObjectHead };

/** One site. Create-only: nothing here overwrites or deletes. */
export interface ObjectStore {
  readonly site: string;
  /**
   * Creates the object if and only if the key is free; of any number of racing calls exactly one creates.
   * Metadata and bytes become visible together. Durable once a later `flush` resolves.
   * Throws with remedy `retry` where the site can not be reached, refuses (403, 404) or is full; then the object may
   * stand there all the same, and the caller's next attempt will find its own. Throws with remedy `park` where an object
   * stands there that can not be told from its metadata: that concerns this record alone.
   */
  create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult>;
  /** Makes durable everything this instance created or found. Errors as `create`. */
  flush(): Promise<void>;
}
