/** The values bound to a sealed sample as authenticated data (DESIGN §2.3). */
export interface SealingContext {
  readonly region: string;
  /** Lower-case hex SHA-256, as are the next two. */
  readonly policyDigest: string;
  readonly sampleSha256: string;
  readonly submission: string;
}

export interface SealedSample {
  /** An AWS Encryption SDK message. */
  readonly message: Buffer;
  readonly sealedSha256: string;
  /** The id of the public key that wrapped the data key. */
  readonly wrappingKey: string;
}
