import { LedgerError } from './ledger-error.ts';

// Only this file knows the paths of the ledger's files (C2SP tlog-tiles, "APIs").

export const CHECKPOINT_PATH = 'checkpoint';
/** The hashes in a full tile, and the entries in a full bundle. */
export const TILE_WIDTH = 256;
/** The number of tree levels in a tile. */
export const TILE_HEIGHT = 8;
const MAX_LEVEL = 63;

/**
 * A tile of hashes (`level` 0: of leaves) or a bundle of entries. It is partial if its width is
 * below 256.
 */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** `tile/<L>/<N>[.p/<W>]`, N in groups of three digits: 1234067 is `x001/x234/067`. */
export function tilePath({ level, index, width }: Tile): string {
  if (
    !(level === 'entries' || inRange(level, 0, MAX_LEVEL)) ||
    !inRange(index, 0, Number.MAX_SAFE_INTEGER) ||
    !inRange(width, 1, TILE_WIDTH)
  ) {
    throw new LedgerError(
      'INVALID_TILE_PATH',
      `Expected a level of 0 to ${MAX_LEVEL}, an index of 0 to 2^53 - 1 and a width of 1 to ${TILE_WIDTH}, found other values; compute them from a tree size.`,
    );
  }
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const number = groups
    .map((group, at) => (at < groups.length - 1 ? `x${group}` : group))
    .join('/');
  return `tile/${level}/${number}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

function inRange(value: number, from: number, to: number): boolean {
  return Number.isSafeInteger(value) && value >= from && value <= to;
}

const PATH = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/;

/**
 * The inverse. Throws `INVALID_TILE_PATH` for any path that `tilePath` does not write. The client
 * that requests files controls it.
 */
export function parseTilePath(path: string): Tile {
  const [, level = '', number = '', width] = PATH.exec(path) ?? [];
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level || Number.NaN),
    index: Number(number.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  if (tilePath(tile) !== path)
    throw new LedgerError(
      'INVALID_TILE_PATH',
      "Expected tile/<level>/<index>[.p/<width>] as in C2SP tlog-tiles, found another path; look at the index's groups and leading zeros.",
    );
  return tile;
}
