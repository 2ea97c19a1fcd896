/**
 * Limits the bytes of request bodies held at one time, over all requests. A request without room is
 * refused and does not wait.
 */
export class BodyBudget {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  get free(): number {
    return this.#free;
  }

  lease(): BodyLease {
    let held = 0;
    return {
      take: (bytes) => {
        if (bytes > this.#free) return false;
        this.#free -= bytes;
        held += bytes;
        return true;
      },
      release: () => {
        this.#free += held;
        held = 0;
      },
    };
  }
}

/** One request's share. */
export interface BodyLease {
  /** False: the budget has less than that left, and nothing was taken. */
  take(bytes: number): boolean;
  /** Returns everything. Further calls do nothing. */
  release(): void;
}
