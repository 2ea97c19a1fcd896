/**
 * Counts all items and keeps the first ones. A hostile or damaged store can cause any number of
 * findings, so the memory for them must be bounded.
 */
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
