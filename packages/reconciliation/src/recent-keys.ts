import { createHash } from 'node:crypto';

/** Keys of one generation. A key takes about 100 bytes. */
const MOST = 500_000;

/**
 * Remembers the last keys of a log, at least `MOST` of them. The comparison with the ledger finds
 * what an older repetition removed.
 */
export class RecentKeys {
  #new = new Set<string>();
  #old: ReadonlySet<string> = new Set();

  /** True if the key is remembered. It is from now on. */
  repeats(key: Buffer): boolean {
    const digest = createHash('sha256').update(key).digest('base64').slice(0, 24);
    if (this.#new.has(digest) || this.#old.has(digest)) return true;
    if (this.#new.size >= MOST) [this.#old, this.#new] = [this.#new, new Set()];
    this.#new.add(digest);
    return false;
  }
}
