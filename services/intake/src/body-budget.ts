/** Bytes of request bodies held at one time, by all requests together. Who finds none left is refused, never kept waiting. */
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
  /** False: there is not that much left; nothing was taken. */
  take(bytes: number): boolean;
  /** Gives everything back; again: does nothing. */
  release(): void;
}
