/** The measurements of a child process for its timed part. */
export interface Measurement {
  readonly seconds: number;
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  /** Of the whole process, from its start. */
  readonly peakBytes: number;
}

/** Adds up timed parts; the time between them does not count. */
export class Meter {
  #milliseconds = 0;
  #cpuMicroseconds = 0;

  async time<T>(work: () => Promise<T>): Promise<T> {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    try {
      return await work();
    } finally {
      const { user, system } = process.cpuUsage(cpu);
      this.#milliseconds += performance.now() - start;
      this.#cpuMicroseconds += user + system;
    }
  }

  get measurement(): Measurement {
    return {
      seconds: this.#milliseconds / 1e3,
      cpuSeconds: this.#cpuMicroseconds / 1e6,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    };
  }
}
