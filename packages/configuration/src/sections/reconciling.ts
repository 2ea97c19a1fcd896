import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

export interface ReconcilingConfiguration {
  /** Of one reconciler alone. */
  readonly stateDirectory: string;
  /** Of all sites together; a page of a list counts as one. */
  readonly readsPerSecond: number;
  /** From the begin of one pass to that of the next, at least, milliseconds. */
  readonly pauseMs: number;
}

export function readReconciling(reader: EnvironmentReader): ReconcilingConfiguration | undefined {
  return complete({
    stateDirectory: reader.get('RESIDENCY_RECONCILER_STATE_DIR'),
    readsPerSecond: reader.get('RESIDENCY_RECONCILER_READS_PER_SECOND'),
    pauseMs: reader.get('RESIDENCY_RECONCILER_PAUSE_MS'),
  });
}
