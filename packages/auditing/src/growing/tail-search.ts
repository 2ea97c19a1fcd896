import { createHash } from 'node:crypto';

/**
 * Finds the end of a ledger's last leaves in the audit log. All of them must match in a row,
 * because a single leaf may be in the log twice, if two routers settled one partition. Uses the
 * Knuth-Morris-Pratt automaton over digests, so no record is held longer than one call.
 */
export class TailSearch {
  readonly #pattern: readonly string[];
  /**
   * For each prefix of the pattern: the length of its longest proper prefix that is also its
   * suffix.
   */
  readonly #borders: readonly number[];
  #matched = 0;

  /** `tail`: at least one leaf, in order. */
  constructor(tail: readonly Uint8Array[]) {
    this.#pattern = tail.map(digest);
    this.#borders = bordersOf(this.#pattern);
  }

  /** Takes the log's next leaf. Returns `true` if it is the last of the tail. */
  next(leaf: Uint8Array): boolean {
    const found = digest(leaf);
    while (this.#matched > 0 && this.#pattern[this.#matched] !== found)
      this.#matched = this.#borders[this.#matched - 1] ?? 0;
    if (this.#pattern[this.#matched] === found) this.#matched += 1;
    return this.#matched === this.#pattern.length;
  }
}

function bordersOf(pattern: readonly string[]): readonly number[] {
  const borders = [0];
  let length = 0;
  for (let at = 1; at < pattern.length; at += 1) {
    while (length > 0 && pattern[at] !== pattern[length]) length = borders[length - 1] ?? 0;
    if (pattern[at] === pattern[length]) length += 1;
    borders.push(length);
  }
  return borders;
}

function digest(leaf: Uint8Array): string {
  return createHash('sha256').update(leaf).digest('base64');
}
