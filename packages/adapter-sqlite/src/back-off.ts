import { setTimeout as sleep } from 'node:timers/promises';

/** Waiting times between attempts, milliseconds. */
export interface BackOffLimits {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Doubles from attempt to attempt, each shortened at random by up to half, so that several waiting processes do not come in step. */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #random: () => number;
  #attempts = 0;

  constructor(limits: BackOffLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  reset(): void {
    this.#attempts = 0;
  }

  /** The next waiting time; `instead` replaces it, for whoever failed may know better. */
  next(instead?: number): number {
    const full = Math.min(this.#limits.mostMs, this.#limits.firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return instead ?? full * (1 - this.#random() / 2);
  }
}

/** Resolves after `ms` or when `signal` is aborted, whichever is first; never rejects for the abort. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
