import { leafOf } from '@residency/auditing';
import type { AuditRecord } from '@residency/auditing';
import {
  EMPTY_RANGE,
  appendHashes,
  encodeEntryBundle,
  encodeHashTile,
  leafHash,
  parseTilePath,
  rootOf,
} from '@residency/ledger';

/**
 * The expected ledger, computed from the records alone. It shares only hashing and file formats
 * with the writer.
 */
export class ExpectedLedger {
  readonly leaves: readonly Uint8Array[];
  /** The root of every size. */
  readonly roots: readonly Uint8Array[];
  /** By tile level. */
  readonly #hashes: Uint8Array[][];

  constructor(records: readonly AuditRecord[]) {
    this.leaves = records.map(({ value }) => leafOf(value));
    const roots = [rootOf(EMPTY_RANGE)];
    const hashes: Uint8Array[][] = [[]];
    let range = EMPTY_RANGE;
    for (const hash of this.leaves.map((leaf) => leafHash(leaf))) {
      range = appendHashes(range, [hash]);
      roots.push(rootOf(range));
      hashes[0]?.push(hash);
    }
    for (let level = 0; (hashes[level]?.length ?? 0) >= 256; level += 1) {
      const below = hashes[level] ?? [];
      hashes.push(
        Array.from({ length: Math.floor(below.length / 256) }, (_, at) =>
          rootOf(appendHashes(EMPTY_RANGE, below.slice(at * 256, (at + 1) * 256))),
        ),
      );
    }
    this.roots = roots;
    this.#hashes = hashes;
  }

  /** The only bytes allowed at a tile's path; `undefined`: no file is allowed there. */
  file(path: string): Uint8Array | undefined {
    const { level, index, width } = parseTilePath(path);
    const all = level === 'entries' ? this.leaves : (this.#hashes[level] ?? []);
    const part = all.slice(index * 256, index * 256 + width);
    if (part.length < width) return undefined;
    return level === 'entries' ? encodeEntryBundle(part) : encodeHashTile(part);
  }
}
