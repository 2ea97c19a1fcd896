import { joinBytes } from './bytes.ts';
import { LedgerError } from './ledger-error.ts';
import { TILE_WIDTH } from './tile-path.ts';

/** The largest value of the 16-bit length before an entry. */
export const MAX_ENTRY_BYTES = 65_535;
const LENGTH_BYTES = 2;

/**
 * Encodes 1 to 256 entries, each after its length as a big-endian uint16 (C2SP tlog-tiles, "Log
 * entries").
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > TILE_WIDTH) {
    throw new LedgerError(
      'INVALID_ENTRY_BUNDLE',
      `Expected 1 to ${TILE_WIDTH} entries, found ${entries.length}; an empty bundle is not written.`,
    );
  }
  return joinBytes(
    entries.flatMap((entry) => {
      checkEntry(entry);
      return [Uint8Array.of(entry.length >> 8, entry.length), entry];
    }),
  );
}

/**
 * The inverse, for the width in the bundle's path: exactly that many entries, and no bytes after
 * them. The ledger's host controls the bytes. The entries are views of them.
 */
export function decodeEntryBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && entries.length < width) {
    const [high = 0, low] = bytes.subarray(at, at + LENGTH_BYTES);
    const start = at + LENGTH_BYTES;
    if (low === undefined) break;
    // Beyond the end if the last entry is truncated; the check of `at` below finds that.
    at = start + (high * 256 + low);
    entries.push(bytes.subarray(start, at));
  }
  if (!(width >= 1 && width <= TILE_WIDTH) || entries.length !== width || at !== bytes.length) {
    throw new LedgerError(
      'INVALID_ENTRY_BUNDLE',
      'Expected as many whole entries as the path says and nothing else, found another content; restore the bundle from a copy.',
    );
  }
  return entries;
}

export function checkEntry(entry: Uint8Array): void {
  if (entry.length > MAX_ENTRY_BYTES)
    throw new LedgerError(
      'INVALID_ENTRY',
      `Expected an entry of at most ${MAX_ENTRY_BYTES} bytes, found ${entry.length}; nothing was appended.`,
    );
}
