import type { Samples } from './sample-entry.ts';

/** The argument of a benchmark's child process. */
export interface PublishOrder {
  readonly samples: Samples;
  readonly seconds: number;
  readonly how:
    | { readonly mode: 'paced'; readonly perSecond: number }
    /** This many samples are kept waiting. */
    | { readonly mode: 'ahead'; readonly waiting: number };
}

/** A message to the floor, whose argument is a workload. It answers each. */
export interface FloorOrder {
  /** Offsets by partition, as text. */
  readonly from: readonly (readonly [number, string])[];
}

export interface StepsOrder {
  readonly count: number;
  /**
   * `one`: one sample in work at a time. `profiled`: as it runs, with a sampling profiler instead
   * of clocks.
   */
  readonly mode: 'all' | 'one' | 'profiled';
}
