import { LedgerError } from './ledger-error.ts';
import { TILE_WIDTH } from './tile-path.ts';
import type { Tile } from './tile-path.ts';
import { isTreeSize } from './tree-head.ts';

/**
 * The number of hashes that a tree of `size` leaves has at a tile level. A hash there covers
 * 256^level leaves.
 */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The tile levels at which a tree of `size` leaves has hashes: 0 to 7. */
export function levelsOf(size: number): number {
  let levels = 0;
  while (hashesAtLevel(size, levels) > 0) levels += 1;
  return levels;
}

/**
 * The files that must be written when a ledger grows from the published size to the next, bundles
 * first: each full or partial tile with new content.
 */
export function* tilesOfGrowth(from: number, to: number): Generator<Tile> {
  if (!isTreeSize(from) || !isTreeSize(to) || from > to)
    throw new LedgerError(
      'INVALID_SIZE',
      'Expected sizes of 0 to 2^53 - 1, the second not below the first, found others; a ledger only grows.',
    );
  yield* ofLevel('entries', from, to);
  for (let level = 0; hashesAtLevel(to, level) > 0; level += 1)
    yield* ofLevel(level, hashesAtLevel(from, level), hashesAtLevel(to, level));
}

function* ofLevel(level: Tile['level'], from: number, to: number): Generator<Tile> {
  if (from === to) return;
  for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < to; index += 1) {
    yield { level, index, width: Math.min(TILE_WIDTH, to - index * TILE_WIDTH) };
  }
}
