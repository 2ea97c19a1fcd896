/** What a sealed message says about itself. */
export interface BoundContext {
  readonly region: string;
  /** Lower-case hex SHA-256, as are the next two. */
  readonly policyDigest: string;
  readonly sampleSha256: string;
  readonly submission: string;
}

/** The header as it stands there: readable without a key, authenticated only by opening. */
export interface SealedHeader extends BoundContext {
  /** Ids of the public keys that wrapped the data key. */
  readonly wrappingKeys: readonly string[];
}

/** Throws where the bytes are no sealed message. */
export type ReadSealedHeader = (message: Buffer) => SealedHeader;

/** Opens with the region's private keys; throws where that is not possible. */
export type OpenSealed = (
  message: Buffer,
  region: string,
) => Promise<{ readonly sample: Buffer; readonly context: BoundContext }>;
