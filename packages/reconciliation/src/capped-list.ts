/** Counts everything and keeps the first few: what a hostile or ruined store can cause has no bound, what is held of it has. */
export class CappedList<T> {
  readonly items: T[] = [];
  #total = 0;
  readonly #cap: number;

  constructor(cap: number) {
    this.#cap = cap;
  }

  get total(): number {
    return this.#total;
  }

  add(item: T): void {
    this.#total += 1;
    if (this.items.length < this.#cap) this.items.push(item);
  }
}
