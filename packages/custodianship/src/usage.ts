/** What somebody used, in the order of time, with running totals: a look costs O(log n). */
export class Usage {
  readonly #at: number[] = [];
  /** `#bytes[n]`: of the first n + 1. */
  readonly #bytes: number[] = [];

  /** `at`: milliseconds. One that is before the last one counts as that one's. */
  add(at: number, bytes: number): void {
    this.#at.push(Math.max(at, this.#at.at(-1) ?? at));
    this.#bytes.push((this.#bytes.at(-1) ?? 0) + bytes);
  }

  since(at: number): { readonly count: number; readonly bytes: number } {
    const before = this.#before(at);
    return {
      count: this.#at.length - before,
      bytes: (this.#bytes.at(-1) ?? 0) - (this.#bytes[before - 1] ?? 0),
    };
  }

  /** Returns whether anything is left. */
  forget(before: number): boolean {
    const gone = this.#before(before);
    if (gone === 0) return this.#at.length > 0;
    const bytes = this.#bytes[gone - 1] ?? 0;
    this.#at.splice(0, gone);
    const left = this.#bytes.splice(0).slice(gone);
    for (const total of left) this.#bytes.push(total - bytes);
    return this.#at.length > 0;
  }

  /** How many are before this time. */
  #before(at: number): number {
    let [low, high] = [0, this.#at.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#at[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
