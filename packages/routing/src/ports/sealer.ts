import type { SealedSample, SealingContext } from '@residency/sealing';

export interface Sealer {
  /**
   * Seals to the region's newest key. Throws with remedy `retry` if the region has none that can
   * seal.
   */
  seal(sample: Buffer, context: SealingContext): Promise<SealedSample>;
}
