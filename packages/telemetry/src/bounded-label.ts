/** The label of all values beyond the bound. */
export const OTHER = 'other';

/**
 * The values of a label: those known in advance, and at most `more` others, which must look like an
 * error's code.
 */
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
