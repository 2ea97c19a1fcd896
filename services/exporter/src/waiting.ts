import { hasCode } from '@residency/coded-error';
import type { ExportedSource } from '@residency/telemetry';

/** What the sources wait for, as one: the error of the one that has waited longest. */
export class Waiting {
  readonly #errors = new Map<ExportedSource, unknown>();
  readonly #tell: (error: unknown) => void;

  constructor(tell: (error: unknown) => void) {
    this.#tell = tell;
  }

  /** `undefined`: it was read. */
  of(source: ExportedSource, error: unknown): void {
    if (error === undefined && !this.#errors.has(source)) return;
    if (error === undefined) this.#errors.delete(source);
    // Silence is no news beside a reason: a source that alternates between both would fill the log.
    else if (!hasCode(error, 'SOURCE_LATE') || !this.#errors.has(source)) this.#errors.set(source, error);
    const [first] = this.#errors.values();
    this.#tell(first);
  }
}
