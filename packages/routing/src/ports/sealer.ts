import type { SealedSample, SealingContext } from '@residency/sealing';

export interface Sealer {
  /** Seals to the region's newest key. Throws with remedy `stop` where the region has none. */
  seal(sample: Buffer, context: SealingContext): Promise<SealedSample>;
}
