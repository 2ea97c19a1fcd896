import type { Snapshot } from '@residency/observation';

/** Reads the facts of one system, again and again. */
export interface Probe {
  /** As a report names the system. */
  readonly name: string;
  /**
   * Never rejects for what a system does: a fact that can not be read is unknown. Rejects for a
   * defect.
   */
  snapshot(): Promise<Snapshot>;
  close(): Promise<void>;
}
