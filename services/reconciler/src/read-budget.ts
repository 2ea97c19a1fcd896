import type { Clock } from './clock.ts';

/** Reads of this time may begin at once, to compensate for late timers. */
const BURST_MS = 100;

/** Limits how many reads begin in a second, in the order of the calls. */
export class ReadBudget {
  readonly #everyMs: number;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** The time at which the next read may begin. */
  #next = -Infinity;

  constructor(perSecond: number, clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.#everyMs = 1_000 / perSecond;
    this.#clock = clock;
  }

  /** Resolves when a read may begin; rejects with the signal's reason once it is aborted. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.#clock.monotonic();
    const at = Math.max(this.#next, now - BURST_MS);
    this.#next = at + this.#everyMs;
    if (at > now) await this.#clock.sleep(at - now, signal);
    signal.throwIfAborted();
  }
}
