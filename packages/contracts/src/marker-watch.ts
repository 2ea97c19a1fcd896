export interface MarkerWatchOptions {
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
  /** How long a check remains valid, milliseconds. */
  readonly maxAgeMs?: number;
}

/** The longest time between a site's check and a use that relies on it (DESIGN §2.9). */
const MAX_AGE_MS = 60_000;

/**
 * Decides when a site's marker is checked again: before the first use, after a failure, and if the
 * last check is too old. Concurrent callers share one check.
 */
export class MarkerWatch {
  readonly #look: () => Promise<void>;
  readonly #now: () => number;
  readonly #maxAgeMs: number;
  /** When the valid check began; `undefined`: there is none. */
  #lookedAt: number | undefined;
  #looking: Promise<void> | undefined;

  /** `look` rejects unless the place is still the right site. */
  constructor(look: () => Promise<void>, { now, maxAgeMs = MAX_AGE_MS }: MarkerWatchOptions) {
    this.#look = look;
    this.#now = now;
    this.#maxAgeMs = maxAgeMs;
  }

  /**
   * Resolves once there is a valid check: one that began after the last `doubt` and is not too old.
   * Rejects with the error of the check; the next call checks again.
   */
  async fresh(): Promise<void> {
    while (!this.#counts()) {
      this.#looking ??= this.#run();
      await this.#looking;
    }
  }

  /** Something failed or was unexpected, so checks that have begun are no longer valid. */
  doubt(): void {
    this.#lookedAt = undefined;
    this.#looking = undefined;
  }

  #counts(): boolean {
    return this.#lookedAt !== undefined && this.#now() - this.#lookedAt < this.#maxAgeMs;
  }

  #run(): Promise<void> {
    const began = this.#now();
    const looking: Promise<void> = this.#look()
      .then(() => {
        if (this.#looking === looking) this.#lookedAt = began;
      })
      .finally(() => {
        if (this.#looking === looking) this.#looking = undefined;
      });
    return looking;
  }
}
