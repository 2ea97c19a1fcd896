import { joinBytes } from './bytes.ts';
import { EMPTY_RANGE, appendHashes, rootOf } from './compact-range.ts';
import { LedgerError } from './ledger-error.ts';
import { TILE_WIDTH } from './tile-path.ts';
import { HASH_BYTES } from './tree-hash.ts';

/** Encodes a tile: 1 to 256 hashes, one after the other. */
export function encodeHashTile(hashes: readonly Uint8Array[]): Uint8Array {
  if (
    hashes.length < 1 ||
    hashes.length > TILE_WIDTH ||
    hashes.some((hash) => hash.length !== HASH_BYTES)
  ) {
    throw new LedgerError(
      'INVALID_TILE',
      `Expected 1 to ${TILE_WIDTH} hashes of ${HASH_BYTES} bytes, found others; an empty tile is not written.`,
    );
  }
  return joinBytes(hashes);
}

/**
 * The inverse, for the width in the tile's path. The ledger's host controls the bytes. The hashes
 * are views of them.
 */
export function decodeHashTile(bytes: Uint8Array, width: number): Uint8Array[] {
  if (!(width >= 1 && width <= TILE_WIDTH) || bytes.length !== width * HASH_BYTES) {
    throw new LedgerError(
      'INVALID_TILE',
      `Expected a tile of its path's width, ${HASH_BYTES} bytes a hash, found ${bytes.length} bytes; restore it from a copy.`,
    );
  }
  return Array.from({ length: width }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

/** The RFC 6962 root over adjacent hashes of one level. */
export function rootOfHashes(hashes: readonly Uint8Array[]): Uint8Array {
  return rootOf(appendHashes(EMPTY_RANGE, hashes));
}
