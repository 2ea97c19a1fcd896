/**
 * Bounds the bytes in work, first come first served. A request larger than the whole budget runs
 * alone, so a limit that is too low slows the router and never stops it.
 */
export class ByteBudget {
  readonly #capacity: number;
  #inUse = 0;
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Runs `work` once `bytes` are free, and releases them when it ends or fails. */
  async with<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    await this.#acquire(bytes);
    try {
      return await work();
    } finally {
      this.#inUse -= bytes;
      this.#admit();
    }
  }

  async #acquire(bytes: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ bytes, start: resolve });
    this.#admit();
    await promise;
  }

  #admit(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#fits(next.bytes);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#inUse += next.bytes;
      next.start();
    }
  }

  #fits(bytes: number): boolean {
    return this.#inUse === 0 || this.#inUse + bytes <= this.#capacity;
  }
}
