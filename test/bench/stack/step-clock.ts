/** Microseconds. */
export interface Cost {
  readonly wall: number;
  /** User and system time of all threads, whatever they did meanwhile. */
  readonly cpu: number;
}

export type Steps = Readonly<Record<string, Cost>>;

function now(): Cost {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() * 1e3, cpu: user + system };
}

/**
 * Measures time and CPU of a run's steps: laps follow one another without a gap; a span lies within
 * a lap.
 */
export class StepClock {
  readonly #costs = new Map<string, Cost>();
  #last: Cost | undefined;

  /** Assigns the time since the last lap to this step. The first lap only starts the clock. */
  lap(step: string): void {
    const at = now();
    if (this.#last !== undefined) this.#add(step, this.#last, at);
    this.#last = at;
  }

  /** Concurrent spans add up to more than the elapsed time. */
  async within<T>(step: string, work: () => Promise<T>): Promise<T> {
    const start = now();
    try {
      return await work();
    } finally {
      this.#add(step, start, now());
    }
  }

  /** Each step's share of one of `count` samples. */
  steps(count: number): Steps {
    return Object.fromEntries(
      [...this.#costs].map(([step, { wall, cpu }]) => [
        step,
        { wall: wall / count, cpu: cpu / count },
      ]),
    );
  }

  #add(step: string, from: Cost, to: Cost): void {
    const { wall, cpu } = this.#costs.get(step) ?? { wall: 0, cpu: 0 };
    this.#costs.set(step, { wall: wall + to.wall - from.wall, cpu: cpu + to.cpu - from.cpu });
  }
}
