import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

export interface ReconcilingConfiguration {
  /** A folder for one reconciler only. */
  readonly stateDirectory: string;
  /** For all sites together. A page of a list counts as one read. */
  readonly readsPerSecond: number;
  /** The least time from the start of one pass to the start of the next, milliseconds. */
  readonly pauseMs: number;
  /** Whether the repair of a site that lacks copies is ordered at once. */
  readonly repair: 'auto' | 'propose';
  /** Whether the erasure of samples past their time is ordered at once. */
  readonly retention: 'auto' | 'propose';
}

export function readReconciling(reader: EnvironmentReader): ReconcilingConfiguration | undefined {
  return complete({
    stateDirectory: reader.get('RESIDENCY_RECONCILER_STATE_DIR'),
    readsPerSecond: reader.get('RESIDENCY_RECONCILER_READS_PER_SECOND'),
    pauseMs: reader.get('RESIDENCY_RECONCILER_PAUSE_MS'),
    repair: reader.get('RESIDENCY_REPAIR'),
    retention: reader.get('RESIDENCY_RETENTION'),
  });
}
