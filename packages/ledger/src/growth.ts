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
 * All that appending needs: what stands in the partial tiles and the partial bundle. At most 255 entries and 255 hashes a
 * level, however large the ledger; `LedgerReader.state` reads it back from the published files.
 */
export interface LedgerState {
  readonly size: number;
  /** By tile level, lowest first. */
  readonly hashes: readonly (readonly Uint8Array[])[];
  readonly entries: readonly Uint8Array[];
}

export const EMPTY_LEDGER: LedgerState = { size: 0, hashes: [], entries: [] };

/** A file of the ledger: immutable once it is written. The same entries give the same bytes under the same path. */
export interface LedgerFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Growth {
  readonly state: LedgerState;
  readonly root: Uint8Array;
  /** In the order they are to be written in; the checkpoint comes last. */
  readonly files: readonly LedgerFile[];
}

/**
 * Appends entries and gives the files that filled up. For a batch between two checkpoints: memory is that of the batch.
 * Throws `INVALID_ENTRY` for one too long; nothing is appended then.
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
    // A copy: what stays in the state must not change when the caller uses its buffer again.
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

/** The partial files of this size that are not those of `publishedSize`: what a checkpoint needs besides what filled up. */
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

/** One step from checkpoint to checkpoint: every file it writes, and the root to sign. */
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

/** A state comes from files or memory; one whose parts do not fit its size would write tiles that do not fit the tree. */
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
