const PAGE_OFFSETS = 1_024n;

/** Pages of one name without a gap between them, for a register. */
export interface SavedPages {
  readonly of: string;
  /** The number of the first one. */
  readonly first: bigint;
  readonly words: readonly Uint32Array[];
}

/**
 * A few words for each offset, by name. Pages of 1,024 offsets, made when the first of them gets a
 * word: offsets without one in between take the same room. A word that was never set is 0.
 */
export class OffsetPages {
  /** For each offset. */
  readonly #width: number;
  readonly #pages = new Map<string, Map<bigint, Uint32Array>>();

  constructor(width: number) {
    this.#width = width;
  }

  /** The inverse of `save`. Keeps the words. */
  static of(width: number, saved: readonly SavedPages[]): OffsetPages {
    const made = new OffsetPages(width);
    for (const { of, first, words } of saved)
      for (const [index, page] of words.flatMap((run) => made.#split(run)).entries())
        made.#pagesOf(of).set(first + BigInt(index), page);
    return made;
  }

  /** As they are now: the words are this instance's own. */
  save(): readonly SavedPages[] {
    return [...this.#pages].flatMap(([of, pages]) => runsOf(of, pages));
  }

  get(of: string, offset: bigint, word = 0): number {
    const page = this.#pages.get(of)?.get(offset / PAGE_OFFSETS);
    return page?.[this.#at(offset) + word] ?? 0;
  }

  set(of: string, offset: bigint, words: readonly number[]): void {
    const pages = this.#pagesOf(of);
    const number = offset / PAGE_OFFSETS;
    let page = pages.get(number);
    if (page === undefined) pages.set(number, (page = new Uint32Array(this.#pageWords)));
    page.set(words, this.#at(offset));
  }

  /** Each page of a name, in no order, with its first offset. */
  *pages(of: string): Generator<readonly [first: bigint, words: Uint32Array]> {
    for (const [number, page] of this.#pages.get(of) ?? []) yield [number * PAGE_OFFSETS, page];
  }

  get #pageWords(): number {
    return Number(PAGE_OFFSETS) * this.#width;
  }

  #at(offset: bigint): number {
    return Number(offset % PAGE_OFFSETS) * this.#width;
  }

  #pagesOf(of: string): Map<bigint, Uint32Array> {
    let pages = this.#pages.get(of);
    if (pages === undefined) this.#pages.set(of, (pages = new Map<bigint, Uint32Array>()));
    return pages;
  }

  #split(words: Uint32Array): readonly Uint32Array[] {
    const length = this.#pageWords;
    return Array.from({ length: words.length / length }, (_, index) =>
      words.subarray(index * length, (index + 1) * length),
    );
  }
}

function runsOf(of: string, pages: ReadonlyMap<bigint, Uint32Array>): readonly SavedPages[] {
  const runs: { of: string; first: bigint; words: Uint32Array[] }[] = [];
  for (const number of [...pages.keys()].toSorted((a, b) => (a < b ? -1 : 1))) {
    const run = runs.at(-1);
    const page = pages.get(number) ?? new Uint32Array();
    if (run !== undefined && run.first + BigInt(run.words.length) === number) run.words.push(page);
    else runs.push({ of, first: number, words: [page] });
  }
  return runs;
}
