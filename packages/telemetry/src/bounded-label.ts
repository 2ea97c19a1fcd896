/** What stands for every value beyond the bound. */
export const OTHER = 'other';

/** A label's values: those known from the start, and at most `more` new ones that look like an error's code. */
export class BoundedLabel {
  readonly #known: Set<string>;
  readonly #capacity: number;

  constructor(known: readonly string[], more = 0) {
    this.#known = new Set(known);
    this.#capacity = this.#known.size + more;
  }

  value(input: string): string {
    if (this.#known.has(input)) return input;
    if (this.#known.size >= this.#capacity || !/^[A-Z][A-Z0-9_]{0,63}$/.test(input)) return OTHER;
    this.#known.add(input);
    return input;
  }
}
