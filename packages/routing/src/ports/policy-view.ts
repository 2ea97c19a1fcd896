import type { PolicyPublished } from '@residency/residency';

export interface PolicyReading {
  /** Every policy version appended before this instant is in `versions`; milliseconds. */
  readonly watermark: number;
  /** In log order, as published: which of them are valid is `policyInForce`'s to say. */
  readonly versions: readonly PolicyPublished[];
}

export interface PolicyView {
  /** Throws with remedy `retry` where the view can not be reached. */
  read(): Promise<PolicyReading>;
}
