import type { Clock } from '../src/clock.ts';

/** Time that passes only when everybody waits for it. */
export class FakeClock implements Clock {
  /** Since it began: small numbers, so that their sums are as exact as a process's own. */
  #elapsed = 0;
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  #turning = false;

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#sleepers.push({ at: this.#elapsed + milliseconds, wake: resolve });
    this.#turn();
    await promise.finally(() => {
      signal.removeEventListener('abort', abort);
    });
  }

  /** Wakes the sleeper with the shortest wait once nothing else can continue. */
  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.wake();
      if (this.#sleepers.length > 0) this.#turn();
    });
  }
}
