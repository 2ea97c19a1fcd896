/** Counts everything and keeps the first few: what a ruined log can cause has no bound, what is held of it has. */
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
