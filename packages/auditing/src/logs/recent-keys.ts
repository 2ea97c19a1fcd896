import { sha256 } from '@residency/contracts';
import { RecentRegions } from '../growing/recent-regions.ts';

const SEEN = 'seen';
/** Keys that are remembered: the last 50,000 at least. They take 3.4 MB. */
const MOST = 100_000;

/**
 * Remembers the keys of recent records. If a key repeats an older one, compaction removes the older
 * record, and a comparison with the ledger finds that.
 */
export class RecentKeys {
  // 3.4 MB that a log without keys never needs.
  #seen: RecentRegions | undefined;

  /** True if the key is among those that are remembered. It is remembered from now on. */
  repeats(key: Buffer): boolean {
    this.#seen ??= new RecentRegions(MOST);
    const digest = sha256(key);
    if (this.#seen.regionOf(digest) !== undefined) return true;
    this.#seen.note(digest, SEEN);
    return false;
  }
}
