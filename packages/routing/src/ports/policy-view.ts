import type { PolicyPublished } from '@residency/residency';

export interface PolicyReading {
  /** Every policy version appended before this instant is in `versions`; milliseconds. */
  readonly watermark: number;
  /** In log order, as published. `policyInForce` decides which of them are valid. */
  readonly versions: readonly PolicyPublished[];
}

export interface PolicyView {
  /** Throws with remedy `retry` if the view is unreachable. */
  read(): Promise<PolicyReading>;
}
