import { createHash } from 'node:crypto';

/**
 * Finds where a ledger's last leaves end in the audit log. All of them in a row: one leaf alone may stand there twice, where two routers settled one
 * partition. Knuth, Morris and Pratt's automaton over digests, so that records are held no longer than one call.
 */
export class TailSearch {
  readonly #pattern: readonly string[];
  /** Of each beginning of the pattern: the length of its longest proper beginning that is also its end. */
  readonly #borders: readonly number[];
  #matched = 0;

  /** `tail`: at least one leaf, in order. */
  constructor(tail: readonly Uint8Array[]) {
    this.#pattern = tail.map(digest);
    this.#borders = bordersOf(this.#pattern);
  }

  /** Takes the log's next leaf; `true` where it is the last of the whole tail. */
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
