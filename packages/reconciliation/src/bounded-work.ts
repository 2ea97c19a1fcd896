export interface WorkLimits {
  /** The greatest number of concurrent tasks. */
  readonly concurrency: number;
  /**
   * The greatest sum of the bytes that concurrent tasks announce. A single larger task runs alone.
   */
  readonly bytes: number;
}

/**
 * Runs tasks concurrently with the one producer that starts them. The next call of the producer
 * throws the first failure; the other running tasks end, and their results are ignored.
 */
export class BoundedWork {
  readonly #limits: WorkLimits;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  /** Resolves once the task has started. Throws the first failure of an earlier task. */
  async start(bytes: number, task: () => Promise<void>): Promise<void> {
    while (
      this.#running.size >= this.#limits.concurrency ||
      (this.#running.size > 0 && this.#bytes + bytes > this.#limits.bytes)
    ) {
      await Promise.race(this.#running);
    }
    this.#throwFailure();
    this.#bytes += bytes;
    const run = this.#settled(bytes, task);
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  /** Resolves once nothing runs. */
  async drain(): Promise<void> {
    await Promise.all(this.#running);
    this.#throwFailure();
  }

  /** Never rejects. */
  async #settled(bytes: number, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#bytes -= bytes;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
