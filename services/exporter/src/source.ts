import type { ExportedSource } from '@residency/telemetry';

/** Something to tell Prometheus of. Sources know nothing of one another. */
export interface Source {
  readonly name: ExportedSource;
  /**
   * Reads how it stands and resolves with what tells the metrics so. Not called again before it settled, however long that takes;
   * what it resolves with may never be called. Rejects with anything: it is read again later. `signal`: nobody waits any more.
   */
  read(signal: AbortSignal): Promise<() => void>;
  /** It can not be told how it stands: nothing old may be shown. */
  forget(): void;
}
