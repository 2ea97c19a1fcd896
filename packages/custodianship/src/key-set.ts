const BYTES = 8;

/**
 * A set of SHA-256 digests of up to 2^31 members, 8 bytes each: the first 64 bits. Two of 100
 * million agree in them with a probability of one in 3,700. Filled first, asked afterwards.
 */
export class KeySet {
  #values = new BigUint64Array(1_024);
  #size = 0;
  #sorted = true;

  /** `digest`: lower-case hex. */
  add(digest: string): void {
    if (this.#size === this.#values.length) {
      const wider = new BigUint64Array(this.#values.length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#size] = prefixOf(digest);
    this.#size += 1;
    this.#sorted = false;
  }

  has(digest: string): boolean {
    const values = this.#order();
    const wanted = prefixOf(digest);
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] ?? 0n) < wanted) low = middle + 1;
      else high = middle;
    }
    return values[low] === wanted;
  }

  #order(): BigUint64Array {
    const values = this.#values.subarray(0, this.#size);
    if (!this.#sorted) values.sort();
    this.#sorted = true;
    return values;
  }
}

function prefixOf(digest: string): bigint {
  return BigInt(`0x${digest.slice(0, 2 * BYTES)}`);
}
