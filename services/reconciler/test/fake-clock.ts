import type { Clock } from '../src/clock.ts';

/** Time that passes only when everybody waits for it. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  #turning = false;

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => { reject(signal.reason as Error); };
    signal.addEventListener('abort', abort, { once: true });
    this.#sleepers.push({ at: this.#now + milliseconds, wake: resolve });
    this.#turn();
    await promise.finally(() => { signal.removeEventListener('abort', abort); });
  }

  /** Whoever waits least is woken once nothing else can go on. */
  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      if (this.#sleepers.length > 0) this.#turn();
    });
  }
}
