import type { CompactRange } from './compact-range.ts';
import { EMPTY_RANGE, appendHashes, rootOf } from './compact-range.ts';
import { checkEntry, encodeEntryBundle } from './entry-bundle.ts';
import { encodeHashTile, rootOfHashes } from './hash-tile.ts';
import { LedgerError } from './ledger-error.ts';
import { TILE_WIDTH, tilePath } from './tile-path.ts';
import { hashesAtLevel, tilesOfGrowth } from './tiles-of-growth.ts';
import { MAX_TREE_SIZE, isTreeSize } from './tree-head.ts';
import { leafHash } from './tree-hash.ts';

/**
 * The state that appending needs: the contents of the partial tiles and of the partial bundle. At
 * most 255 entries, and 255 hashes at each level, however large the ledger. `LedgerReader.state`
 * restores it from the published files.
 */
export interface LedgerState {
  readonly size: number;
  /** By tile level, the lowest first. */
  readonly hashes: readonly (readonly Uint8Array[])[];
  readonly entries: readonly Uint8Array[];
}

export const EMPTY_LEDGER: LedgerState = { size: 0, hashes: [], entries: [] };

/**
 * A file of the ledger. It never changes, and the same entries always give the same bytes at the
 * same path.
 */
export interface LedgerFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Growth {
  readonly state: LedgerState;
  readonly root: Uint8Array;
  /** The files in the order in which they must be written. The checkpoint comes after them. */
  readonly files: readonly LedgerFile[];
}

/**
 * Appends entries and returns the files that are full. Use it for a batch between two checkpoints:
 * the memory needed is that of the batch. Throws `INVALID_ENTRY` if an entry is too long, and
 * appends nothing.
 */
export function appendEntries(
  state: LedgerState,
  entries: readonly Uint8Array[],
): Omit<Growth, 'root'> {
  checkState(state);
  if (entries.length > MAX_TREE_SIZE - state.size)
    throw new LedgerError(
      'INVALID_SIZE',
      'Expected fewer than 2^53 entries, found more; start another ledger.',
    );
  for (const entry of entries) checkEntry(entry);
  const files: LedgerFile[] = [];
  const hashes = state.hashes.map((level) => [...level]);
  let open = [...state.entries];
  let size = state.size;
  const push = (level: number, hash: Uint8Array): void => {
    const tile = (hashes[level] ??= []);
    if (tile.push(hash) < TILE_WIDTH) return;
    hashes[level] = [];
    files.push({
      path: tilePath({ level, index: hashesAtLevel(size, level + 1) - 1, width: TILE_WIDTH }),
      bytes: encodeHashTile(tile),
    });
    push(level + 1, rootOfHashes(tile));
  };
  for (const entry of entries) {
    // A copy, because the caller may reuse its buffer.
    open.push(new Uint8Array(entry));
    size += 1;
    if (open.length === TILE_WIDTH) {
      files.push({
        path: tilePath({ level: 'entries', index: size / TILE_WIDTH - 1, width: TILE_WIDTH }),
        bytes: encodeEntryBundle(open),
      });
      open = [];
    }
    push(0, leafHash(entry));
  }
  return { state: { size, hashes, entries: open }, files };
}

/**
 * The partial files of this size that differ from those of `publishedSize`. A checkpoint needs them
 * besides the full files.
 */
export function partialFiles(state: LedgerState, publishedSize: number): LedgerFile[] {
  checkState(state);
  const files: LedgerFile[] = [];
  for (const tile of tilesOfGrowth(publishedSize, state.size)) {
    if (tile.width === TILE_WIDTH) continue;
    files.push({
      path: tilePath(tile),
      bytes:
        tile.level === 'entries'
          ? encodeEntryBundle(state.entries)
          : encodeHashTile(state.hashes[tile.level] ?? []),
    });
  }
  return files;
}

/** One step from checkpoint to checkpoint: all files to write, and the root to sign. */
export function growth(published: LedgerState, entries: readonly Uint8Array[]): Growth {
  const { state, files } = appendEntries(published, entries);
  return {
    state,
    root: stateRoot(state),
    files: [...files, ...partialFiles(state, published.size)],
  };
}

export function stateRoot(state: LedgerState): Uint8Array {
  return rootOf(stateRange(state));
}

function stateRange(state: LedgerState): CompactRange {
  checkState(state);
  return {
    size: state.size,
    nodes: state.hashes.toReversed().flatMap((level) => appendHashes(EMPTY_RANGE, level).nodes),
  };
}

/**
 * A state comes from files or memory. If its parts did not fit its size, wrong tiles would be
 * written.
 */
function checkState({ size, hashes, entries }: LedgerState): void {
  const fits =
    isTreeSize(size) &&
    entries.length === size % TILE_WIDTH &&
    hashesAtLevel(size, hashes.length) === 0 &&
    hashes.every((level, at) => level.length === hashesAtLevel(size, at) % TILE_WIDTH);
  if (!fits)
    throw new LedgerError(
      'INVALID_SIZE',
      'Expected a state whose partial tiles have the widths of its size, found others; read it again from the published files.',
    );
}
