/** Waiting times between attempts, milliseconds. */
export interface BackOffLimits {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * Doubles the waiting time from attempt to attempt, and shortens each at random by up to half, so
 * that several processes do not retry in step.
 */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #random: () => number;
  #attempts = 0;

  /** `random`: uniform, from 0 up to 1. */
  constructor(limits: BackOffLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  reset(): void {
    this.#attempts = 0;
  }

  /**
   * Returns the next waiting time. `instead` replaces it and does not count as a failure: a record
   * that waits for a view asks often, and must not make the first real failure wait longest.
   */
  next(instead?: number): number {
    if (instead !== undefined) return instead;
    const full = Math.min(this.#limits.mostMs, this.#limits.firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return full * (1 - this.#random() / 2);
  }
}
