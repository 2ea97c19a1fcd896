export interface WorkLimits {
  /** Tasks at a time. */
  readonly concurrency: number;
  /** What they announce together, at most; a single larger one runs alone. */
  readonly bytes: number;
}

/** Runs tasks beside one producer. The first failure is thrown at the producer's next call; tasks that run then end unheard. */
export class BoundedWork {
  readonly #limits: WorkLimits;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  /** Resolves once the task has started. */
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
