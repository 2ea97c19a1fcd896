/** Lets one side wait until the other side changed something both see. Look, then wait: nothing between the two is missed, for both happen in one turn. */
export class Change {
  readonly #waiting = new Set<() => void>();

  announce(): void {
    for (const go of this.#waiting) go();
  }

  /** Resolves at the next announcement, after `ms`, or when `signal` is aborted. */
  async next(signal: AbortSignal, ms?: number): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const go = (): void => {
      resolve();
    };
    const timer = ms === undefined ? undefined : setTimeout(go, ms);
    this.#waiting.add(go);
    signal.addEventListener('abort', go, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(go);
      signal.removeEventListener('abort', go);
    }
  }
}
