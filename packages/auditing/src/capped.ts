/**
 * Counts all items and keeps the first ones. A damaged log can cause any number of findings, so the
 * memory for them must be bounded.
 */
export class Capped<T> {
  readonly #cap: number;
  readonly #list: T[] = [];
  #total = 0;

  constructor(cap: number) {
    this.#cap = cap;
  }

  add(item: T): void {
    this.#total += 1;
    if (this.#list.length < this.#cap) this.#list.push(item);
  }

  get total(): number {
    return this.#total;
  }

  get list(): readonly T[] {
    return this.#list;
  }
}
