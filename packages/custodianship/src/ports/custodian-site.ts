import type { ObjectMetadata, Tombstone } from '@residency/contracts';

/** An object as its site returns it, from one read. */
export interface FoundCopy {
  readonly bytes: Buffer;
  /** Absent: there is none, or none that a router writes. */
  readonly metadata?: ObjectMetadata;
  readonly versionId?: string;
  /** Names these bytes in this site, for `replace`. Only the site can read it. */
  readonly tag: string;
}

/**
 * What is written at the key of a sample's object. `metadata.sealedSha256` is the digest of `bytes`:
 * the caller has compared them.
 */
export interface NewCopy {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly metadata: ObjectMetadata;
}

export type Written =
  | { readonly written: true; readonly versionId?: string }
  | { readonly written: false };

/** What a site had of an erased sample beside its object. */
export interface Purged {
  /** Older versions that were deleted. */
  readonly versions: number;
  /** Set-aside objects that were replaced. */
  readonly setAside: number;
  /** Unfinished uploads that were aborted, and what a store shows of one under a key of its own. */
  readonly uploads: number;
}

/**
 * One site, with a custodian's credentials: it may read, create, and replace what it has read.
 * Nothing but older versions of an erased sample is deleted. Every method throws with remedy `retry` if the site cannot be reached or
 * refuses (403, 404, full); what it was asked may be done all the same. It throws with `stop` if the
 * marker in the site is another's (DESIGN §2.9) or its store does not honour conditions, before
 * anything is written, and for a key that is no sample's. `park` concerns this key alone.
 *
 * One custodian works on a site at a time; routers may create beside it. Not every store compares and
 * replaces in one step (a folder cannot), so two replacements at once might both be `written`.
 *
 * A write whose answer was lost may be repeated inside a call. So after `written: false` the key may
 * hold this very copy: read it again.
 */
export interface CustodianSite {
  readonly site: string;
  /** `undefined`: no object has this key. Throws `COPY_TOO_LARGE` (park) beyond 64 MiB. */
  read(key: string): Promise<FoundCopy | undefined>;
  /**
   * The object's metadata; its bytes are neither returned nor kept in memory. `undefined`: no object
   * has this key, or it has none that a router writes.
   */
  metadata(key: string): Promise<ObjectMetadata | undefined>;
  /** Creates the object if and only if the key is free. `written: false`: it is not. */
  create(copy: NewCopy): Promise<Written>;
  /**
   * Puts `copy` in the place of exactly the object that `found` was. `written: false`: something
   * else has the key by now, or nothing.
   */
  replace(copy: NewCopy, found: FoundCopy): Promise<Written>;
  /**
   * Keeps bytes that had a sample's key under `setAsideKey(submission, sha256 of the bytes)`, with
   * their metadata if they have any, durably once it resolves: a `replace` may follow at once.
   * Resolves also if they are there already. Throws `SET_ASIDE_DIFFERS` (park) if other bytes are.
   */
  setAside(
    submission: string,
    found: FoundCopy,
  ): Promise<{ readonly key: string; readonly sha256: string }>;
  /**
   * Puts the tombstone's bytes in the place of every set-aside object of the submission, and under the
   * set-aside keys of `digests`, whether or not they are taken: nobody can keep these bytes aside any
   * more. Deletes every version of all these keys, and of the sample's, but the newest, and aborts
   * unfinished uploads to them. Call it after the tombstone has the sample's key; once more changes
   * nothing. Durable after `flush`.
   */
  purge(tombstone: Tombstone, submission: string, digests: readonly string[]): Promise<Purged>;
  /**
   * Makes everything durable that this instance wrote or read: an object that it found may be of a
   * custodian that crashed before its own flush.
   */
  flush(): Promise<void>;
}
