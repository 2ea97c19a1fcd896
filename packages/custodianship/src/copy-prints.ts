import { sha256OfParts } from '@residency/contracts';
import type { SampleCopied } from '@residency/custody';
import { OffsetPages } from './offset-pages.ts';
import type { SavedPages } from './offset-pages.ts';
import { placeOf } from './place-of.ts';

/** What a copy is of, as the fold compares it. */
export type CopyNames = Pick<SampleCopied, 'submission' | 'region'> &
  Pick<SampleCopied['copy'], 'sealedSha256' | 'sealedBytes'>;

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
  /** By site and partition of the intake log. 0: no event. */
  readonly #prints: OffsetPages;
  readonly #later = new Map<string, Set<number>>();

  constructor(prints = new OffsetPages(1)) {
    this.#prints = prints;
  }

  /** The inverse of `save`. Keeps the words. */
  static of({ pages, later }: SavedPrints): CopyPrints {
    const prints = new CopyPrints(OffsetPages.of(1, pages));
    for (const [key, more] of later) prints.#later.set(key, new Set(more));
    return prints;
  }

  /** As they are now: the words are this instance's own. */
  save(): SavedPrints {
    return {
      pages: this.#prints.save(),
      later: [...this.#later].map(([key, prints]) => [key, [...prints]]),
    };
  }

  /** `position`: of the intake record of a `stored` event. */
  add(site: string, position: string, names: CopyNames): void {
    const [partition, offset] = placeOf(position);
    const of = `${site} ${partition}`;
    const [found, print] = [this.#prints.get(of, offset), printOf(names)];
    if (found === 0) this.#prints.set(of, offset, [print]);
    if (found === 0 || found === print) return;
    const key = `${site} ${position}`;
    this.#later.set(key, (this.#later.get(key) ?? new Set()).add(print));
  }

  /** `differs`: the events about this position and site name something else. */
  find(site: string, position: string, names: CopyNames): 'none' | 'copied' | 'differs' {
    const [partition, offset] = placeOf(position);
    const found = this.#prints.get(`${site} ${partition}`, offset);
    if (found === 0) return 'none';
    const print = printOf(names);
    return found === print || this.#later.get(`${site} ${position}`)?.has(print) === true
      ? 'copied'
      : 'differs';
  }
}

/** Never 0, which means "no event". */
function printOf({ submission, region, sealedSha256, sealedBytes }: CopyNames): number {
  const digest = sha256OfParts(submission, region, sealedSha256, String(sealedBytes));
  return Number.parseInt(digest.slice(0, 8), 16) || 1;
}
