import { submissionKey } from './submission-key.ts';

/** Words of one member. Two zeros: a free slot. */
const WIDTH = 2;
/** At most so much of the slots is taken, or a search would take long. */
const MOST_TAKEN = 0.75;

/**
 * A set of submission ids of up to 2^28 members, by their first 64 bits. Two of 100 million agree in
 * them with a probability of one in 3,700. An open-addressing hash table: 11 to 21 bytes a member,
 * half as much again while it grows.
 */
export class KeySet {
  #words = new Uint32Array(WIDTH * 1_024);
  #size = 0;

  /** `submission`: lower-case hex. */
  add(submission: string): void {
    const [high, low] = submissionKey(submission);
    if (this.hasKey(high, low)) return;
    if (this.#size + 1 > (this.#words.length / WIDTH) * MOST_TAKEN) this.#grow();
    this.#put(high, low);
    this.#size += 1;
  }

  has(submission: string): boolean {
    const [high, low] = submissionKey(submission);
    return this.hasKey(high, low);
  }

  /** As `has`, with what `submissionKey` returns for the submission. */
  hasKey(high: number, low: number): boolean {
    const words = this.#words;
    const at = slotOf(words, high, low);
    return words[at] !== 0 || words[at + 1] !== 0;
  }

  #put(high: number, low: number): void {
    const at = slotOf(this.#words, high, low);
    this.#words[at] = high;
    this.#words[at + 1] = low;
  }

  #grow(): void {
    const words = this.#words;
    this.#words = new Uint32Array(words.length * 2);
    for (let at = 0; at < words.length; at += WIDTH) {
      const [high, low] = [words[at] ?? 0, words[at + 1] ?? 0];
      if (high !== 0 || low !== 0) this.#put(high, low);
    }
  }
}

/** The slot that has the member or, if none has, the free one that gets it. Digests need no hash. */
function slotOf(words: Uint32Array, high: number, low: number): number {
  const last = words.length / WIDTH - 1;
  for (let slot = low & last; ; slot = (slot + 1) & last) {
    const at = slot * WIDTH;
    if (words[at] === high && words[at + 1] === low) return at;
    if (words[at] === 0 && words[at + 1] === 0) return at;
  }
}
