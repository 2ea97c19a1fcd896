export interface ConditionWait {
  /** The wait ends when it is aborted. */
  readonly signal?: AbortSignal;
  /** The wait ends after so many milliseconds. */
  readonly ms?: number;
  /**
   * The `version` that was read before the state. If a notification came between that read and the
   * wait, the wait ends at once. Not needed if both happen in one turn of the event loop.
   */
  readonly since?: number;
}

/**
 * A condition variable. The waiting side reads the shared state, waits for a notification, and
 * reads the state again.
 */
export class Condition {
  #version = 0;
  readonly #waiting = new Set<() => void>();

  /** The number of calls of `notify`. */
  get version(): number {
    return this.#version;
  }

  /** Ends every wait. */
  notify(): void {
    this.#version += 1;
    for (const go of this.#waiting) go();
  }

  /** Resolves at the next `notify`, after `ms`, or when `signal` is aborted. Never rejects. */
  async wait({ signal, ms, since = this.#version }: ConditionWait = {}): Promise<void> {
    if (signal?.aborted === true || since !== this.#version) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const go = (): void => {
      resolve();
    };
    const timer = ms === undefined ? undefined : setTimeout(go, ms);
    this.#waiting.add(go);
    signal?.addEventListener('abort', go, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(go);
      signal?.removeEventListener('abort', go);
    }
  }
}
