import type { KeySet } from './key-set.ts';
import { OffsetPages } from './offset-pages.ts';
import type { SavedPages } from './offset-pages.ts';
import { submissionKey } from './submission-key.ts';

const WIDTH = 2;

/**
 * Which records of the audit log say that a sample is stored, and the first 8 bytes of its submission
 * id, by partition and offset. Each offset takes 8 bytes, also that of another record: 80 MB for ten
 * million.
 */
export class StoredKeys {
  readonly #keys: OffsetPages;

  /** `saved`: kept, and changed. */
  constructor(saved: readonly SavedPages[] = []) {
    this.#keys = OffsetPages.of(WIDTH, saved);
  }

  add(partition: number, offset: bigint, submission: string): void {
    this.#keys.set(String(partition), offset, submissionKey(submission));
  }

  has(partition: number, offset: bigint, submission: string): boolean {
    const [high, low] = submissionKey(submission);
    const of = String(partition);
    return this.#keys.get(of, offset) === high && this.#keys.get(of, offset, 1) === low;
  }

  /** The offsets of samples that are not in the set, in no order. */
  *without(partition: number, keys: Pick<KeySet, 'hasKey'>): Generator<bigint> {
    yield* this.#offsets(partition, keys, false);
  }

  /** The offsets of samples that are in the set, in no order; others too, once in 2^64. */
  *within(partition: number, keys: Pick<KeySet, 'hasKey'>): Generator<bigint> {
    yield* this.#offsets(partition, keys, true);
  }

  *#offsets(partition: number, keys: Pick<KeySet, 'hasKey'>, isWithin: boolean): Generator<bigint> {
    for (const [first, words] of this.#keys.pages(String(partition)))
      for (let at = 0; at < words.length; at += WIDTH) {
        const [high, low] = [words[at] ?? 0, words[at + 1] ?? 0];
        if ((high !== 0 || low !== 0) && keys.hasKey(high, low) === isWithin)
          yield first + BigInt(at / WIDTH);
      }
  }

  /** As they are now: the words are this instance's own. */
  save(): readonly SavedPages[] {
    return this.#keys.save();
  }
}
