/** What is bound to a sealed sample as authenticated data (DESIGN §2.3). */
export interface SealingContext {
  readonly region: string;
  readonly policyDigest: string;
  readonly sampleSha256: string;
  readonly submission: string;
}

export interface SealedSample {
  readonly message: Buffer;
  readonly sealedSha256: string;
  /** The id of the public key that wrapped the data key. */
  readonly wrappingKey: string;
}

export interface Sealer {
  /** Seals to the region's newest key. Throws with remedy `stop` where the region has none. */
  seal(sample: Buffer, context: SealingContext): Promise<SealedSample>;
}
