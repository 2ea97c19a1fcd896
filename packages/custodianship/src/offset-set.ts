/** Bits of one word. */
const WORD = 32;

/**
 * A set of offsets of one partition, one bit for each offset up to the largest: ten million of them
 * take 1.25 MB.
 */
export class OffsetSet {
  #words: Uint32Array = new Uint32Array(0);
  #size = 0;
  /** No offset below this word's is in the set. */
  #firstWord = 0;

  get size(): number {
    return this.#size;
  }

  has(offset: bigint): boolean {
    const [word, bit] = placeOf(offset);
    return ((this.#words[word] ?? 0) & bit) !== 0;
  }

  add(offset: bigint): void {
    const [word, bit] = placeOf(offset);
    this.#reach(word);
    const found = this.#words[word] ?? 0;
    if ((found & bit) !== 0) return;
    this.#words[word] = found | bit;
    this.#size += 1;
    this.#firstWord = Math.min(this.#firstWord, word);
  }

  delete(offset: bigint): void {
    if (!this.has(offset)) return;
    const [word, bit] = placeOf(offset);
    this.#words[word] = (this.#words[word] ?? 0) & ~bit;
    this.#size -= 1;
  }

  /** The smallest offset; `undefined`: the set is empty. */
  get first(): bigint | undefined {
    if (this.#size === 0) return undefined;
    while (this.#words[this.#firstWord] === 0) this.#firstWord += 1;
    const word = this.#words[this.#firstWord] ?? 0;
    return BigInt(this.#firstWord * WORD + (31 - Math.clz32(word & -word)));
  }

  /** All offsets, ascending. */
  *offsets(): Generator<bigint> {
    for (const [index, word] of this.#words.entries())
      for (let left = word; left !== 0; left &= left - 1)
        yield BigInt(index * WORD + (31 - Math.clz32(left & -left)));
  }

  /** The words up to the last one with a member. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#words.findLastIndex((word) => word !== 0) + 1);
  }

  /** The inverse of `words`. Keeps them. */
  static of(words: Uint32Array): OffsetSet {
    const set = new OffsetSet();
    set.#words = words;
    for (const word of words) set.#size += ones(word);
    return set;
  }

  #reach(word: number): void {
    if (word < this.#words.length) return;
    const grown = new Uint32Array(Math.max(word + 1, this.#words.length * 2, 64));
    grown.set(this.#words);
    this.#words = grown;
  }
}

/** The number of bits that are set. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function placeOf(offset: bigint): readonly [word: number, bit: number] {
  const at = Number(offset);
  return [Math.floor(at / WORD), 1 << (at % WORD)];
}
