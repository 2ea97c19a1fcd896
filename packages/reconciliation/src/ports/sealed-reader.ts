/** The encryption context of a sealed message. */
export interface BoundContext {
  readonly region: string;
  /** Lower-case hex SHA-256, as are the next two. */
  readonly policyDigest: string;
  readonly sampleSha256: string;
  readonly submission: string;
}

/**
 * The header of a sealed message. It can be read without a key, but only opening authenticates it.
 */
export interface SealedHeader extends BoundContext {
  /** Ids of the public keys that wrapped the data key. */
  readonly wrappingKeys: readonly string[];
}

/** Throws if the bytes are not a sealed message. */
export type ReadSealedHeader = (message: Buffer) => SealedHeader;

/**
 * Opens with the region's private keys. Throws if that is not possible, with remedy `retry` if it is
 * not possible now.
 */
export type OpenSealed = (
  message: Buffer,
  region: string,
) => Promise<{ readonly sample: Buffer; readonly context: BoundContext }>;
