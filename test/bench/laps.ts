/** Measures the steps of a run: laps follow one another without a gap; a span lies within a lap. */
export class Laps {
  readonly #milliseconds = new Map<string, number>();
  #last = 0;

  start(): void {
    this.#last = performance.now();
  }

  /** Assigns the time since the last lap to this step. */
  lap(step: string): void {
    const now = performance.now();
    this.#add(step, now - this.#last);
    this.#last = now;
  }

  /** Concurrent spans add up to more than the elapsed time. */
  async within<T>(step: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#add(step, performance.now() - start);
    }
  }

  /** Each step's share of one of `count` samples. */
  microseconds(count: number): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#milliseconds].map(([step, total]) => [step, (total * 1e3) / count]),
    );
  }

  #add(step: string, milliseconds: number): void {
    this.#milliseconds.set(step, (this.#milliseconds.get(step) ?? 0) + milliseconds);
  }
}
