import type { ExportedSource } from '@residency/telemetry';

/** A source of metrics. Sources know nothing of one another. */
export interface Source {
  readonly name: ExportedSource;
  /**
   * Reads the facts and resolves with a function that sets the metrics by them, which may never be
   * called. Not called again before it resolved or rejected, however long that takes. If it rejects,
   * with any error, it is called again later. `signal`: nobody waits any more.
   */
  read(signal: AbortSignal): Promise<() => void>;
  /** The facts are unknown: removes their metrics, so that nothing old is shown. */
  forget(): void;
}
