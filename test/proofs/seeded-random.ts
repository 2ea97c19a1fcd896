/** Chance that comes back the same for the same seed, on every machine. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.trunc(seed);
  }

  /** `[0, 1)`; Tommy Ettinger's mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number in `[0, below)`. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)];
    if (chosen === undefined) throw new RangeError('Expected something to pick from.');
    return chosen;
  }

  /** So many of the list, each at most once, in a chance order. */
  sample<T>(list: readonly T[], count: number): readonly T[] {
    const left = [...list];
    return Array.from({ length: Math.min(count, left.length) }, (_, index) => {
      const other = index + this.below(left.length - index);
      const [one, two] = [left[index], left[other]] as [T, T];
      [left[index], left[other]] = [two, one];
      return two;
    });
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 4)
      bytes.writeUIntLE(
        this.below(2 ** 32) % 256 ** Math.min(4, length - at),
        at,
        Math.min(4, length - at),
      );
    return bytes;
  }
}
