/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  add(other: Tally): void {
    for (const [name, count] of other.entries()) this.count(name, count);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** By name. */
  entries(): [string, number][] {
    return [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
}
