import { sha256OfParts } from '@residency/contracts';
import type { SampleCopied } from '@residency/custody';
import { placeOf } from './place-of.ts';

/** What a copy is of, as the fold compares it. */
export type CopyNames = Pick<SampleCopied, 'submission' | 'region'> &
  Pick<SampleCopied['copy'], 'sealedSha256' | 'sealedBytes'>;

const PAGE_OFFSETS = 1_024n;

/** Pages of one site and partition without a gap between them, for a register. */
export interface SavedPages {
  readonly of: string;
  /** The number of the first one. */
  readonly first: bigint;
  readonly words: readonly Uint32Array[];
}

export interface SavedPrints {
  readonly pages: readonly SavedPages[];
  readonly later: readonly (readonly [key: string, prints: readonly number[]])[];
}

/**
 * Which copies have an event, as a print of four bytes of what the event names: an event of another
 * ciphertext or sample must not pass for the copy's. One that differs is overlooked once in 2^32.
 * Ten million copies take 40 MB. A further event about one position and site, with another print,
 * takes about 200 bytes; a custodian writes none.
 */
export class CopyPrints {
  /** By site, partition and number of the page. 0: no event. */
  readonly #pages = new Map<string, Map<bigint, Uint32Array>>();
  readonly #later = new Map<string, Set<number>>();

  /** The inverse of `save`. Keeps the words. */
  static of({ pages, later }: SavedPrints): CopyPrints {
    const prints = new CopyPrints();
    for (const { of, first, words } of pages)
      for (const [index, page] of words.flatMap(split).entries())
        prints.#pagesOf(of).set(first + BigInt(index), page);
    for (const [key, more] of later) prints.#later.set(key, new Set(more));
    return prints;
  }

  /** As they are now: the words are this instance's own. */
  save(): SavedPrints {
    return {
      pages: [...this.#pages].flatMap(([of, pages]) => runsOf(of, pages)),
      later: [...this.#later].map(([key, prints]) => [key, [...prints]]),
    };
  }

  /** `position`: of the intake record of a `stored` event. */
  add(site: string, position: string, names: CopyNames): void {
    const { offset, pages } = this.#placeOf(site, position);
    let page = pages.get(offset / PAGE_OFFSETS);
    if (page === undefined)
      pages.set(offset / PAGE_OFFSETS, (page = new Uint32Array(Number(PAGE_OFFSETS))));
    const at = Number(offset % PAGE_OFFSETS);
    const print = printOf(names);
    if (page[at] === 0) page[at] = print;
    if (page[at] === print) return;
    const key = `${site} ${position}`;
    this.#later.set(key, (this.#later.get(key) ?? new Set()).add(print));
  }

  /** `differs`: the events about this position and site name something else. */
  find(site: string, position: string, names: CopyNames): 'none' | 'copied' | 'differs' {
    const { offset, pages } = this.#placeOf(site, position);
    const found = pages.get(offset / PAGE_OFFSETS)?.[Number(offset % PAGE_OFFSETS)] ?? 0;
    if (found === 0) return 'none';
    const print = printOf(names);
    return found === print || this.#later.get(`${site} ${position}`)?.has(print) === true
      ? 'copied'
      : 'differs';
  }

  #placeOf(
    site: string,
    position: string,
  ): { readonly offset: bigint; readonly pages: Map<bigint, Uint32Array> } {
    const [partition, offset] = placeOf(position);
    return { offset, pages: this.#pagesOf(`${site} ${partition}`) };
  }

  #pagesOf(key: string): Map<bigint, Uint32Array> {
    let pages = this.#pages.get(key);
    if (pages === undefined) this.#pages.set(key, (pages = new Map<bigint, Uint32Array>()));
    return pages;
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

function split(words: Uint32Array): readonly Uint32Array[] {
  const length = Number(PAGE_OFFSETS);
  return Array.from({ length: words.length / length }, (_, index) =>
    words.subarray(index * length, (index + 1) * length),
  );
}

/** Never 0, which means "no event". */
function printOf({ submission, region, sealedSha256, sealedBytes }: CopyNames): number {
  const digest = sha256OfParts(submission, region, sealedSha256, String(sealedBytes));
  return Number.parseInt(digest.slice(0, 8), 16) || 1;
}
