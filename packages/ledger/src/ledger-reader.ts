import { sameBytes } from './bytes.ts';
import { EMPTY_RANGE, appendHashes, rootOf } from './compact-range.ts';
import { decodeEntryBundle } from './entry-bundle.ts';
import type { LedgerState } from './growth.ts';
import { decodeHashTile, rootOfHashes } from './hash-tile.ts';
import { LedgerError } from './ledger-error.ts';
import { TileCache } from './tile-cache.ts';
import { TILE_HEIGHT, TILE_WIDTH, tilePath } from './tile-path.ts';
import type { Tile } from './tile-path.ts';
import { hashesAtLevel, levelsOf } from './tiles-of-growth.ts';
import { checkTreeHead } from './tree-head.ts';
import type { TreeHead } from './tree-head.ts';
import { leafHash } from './tree-hash.ts';

/**
 * Returns the bytes of a file of the ledger; `undefined`: it does not exist. Exceptions reach the
 * caller unchanged. Retries and timeouts are the function's own concern. Its bytes are not trusted.
 */
export type ReadLedgerFile = (path: string) => Promise<Uint8Array | undefined>;

/**
 * A published ledger at one tree head, which the caller has verified. Every returned hash and entry
 * is checked against that head: a full tile against its place in the tile above, the partial tiles
 * together against the root, an entry against its hash. Caches at most 64 tiles, so reading
 * millions of entries needs no more memory than reading a few.
 */
export class LedgerReader {
  readonly head: TreeHead;
  readonly #read: ReadLedgerFile;
  readonly #edge: readonly (readonly Uint8Array[])[];
  readonly #tiles = new TileCache();

  private constructor(
    head: TreeHead,
    read: ReadLedgerFile,
    edge: readonly (readonly Uint8Array[])[],
  ) {
    this.head = head;
    this.#read = read;
    this.#edge = edge;
  }

  /**
   * Throws `ROOT_MISMATCH` if the partial tiles do not give the head's root; `TILE_MISSING`,
   * `INVALID_TILE`, `INVALID_CHECKPOINT`.
   */
  static async open(head: TreeHead, read: ReadLedgerFile): Promise<LedgerReader> {
    checkTreeHead(head);
    const levels = Array.from({ length: levelsOf(head.size) }, (_, level) => level);
    const edge = await Promise.all(levels.map((level) => readEdge(read, head.size, level)));
    const root = rootOf({
      size: head.size,
      nodes: edge.toReversed().flatMap((hashes) => appendHashes(EMPTY_RANGE, hashes).nodes),
    });
    if (!sameBytes(root, head.root))
      throw new LedgerError(
        'ROOT_MISMATCH',
        "Expected the partial tiles of this size to make the checkpoint's root, found another root; restore them from a copy, or do not trust this checkpoint.",
      );
    return new LedgerReader(head, read, edge);
  }

  /**
   * The root of a complete subtree of 2^height leaves, the `index`-th at that height. Throws as
   * `open`, and `INVALID_SIZE` beyond the tree.
   */
  async hash(height: number, index: number): Promise<Uint8Array> {
    const level = Math.floor(height / TILE_HEIGHT);
    const width = 2 ** (height % TILE_HEIGHT);
    const first = index * width;
    if (
      !Number.isSafeInteger(height) ||
      !Number.isSafeInteger(index) ||
      height < 0 ||
      index < 0 ||
      !(first + width <= hashesAtLevel(this.head.size, level))
    ) {
      throw new LedgerError(
        'INVALID_SIZE',
        'Expected a complete subtree inside the tree, found one beyond it; ask for what the tree size has.',
      );
    }
    const hashes = await this.#hashesOf(level, Math.floor(first / TILE_WIDTH));
    return rootOfHashes(hashes.slice(first % TILE_WIDTH, (first % TILE_WIDTH) + width));
  }

  /**
   * The entries of the bundle that begins at `256 * index`, in order. Throws as `hash`, and
   * `INVALID_ENTRY_BUNDLE`.
   */
  async entries(index: number): Promise<readonly Uint8Array[]> {
    const width = Math.min(TILE_WIDTH, this.head.size - index * TILE_WIDTH);
    if (!Number.isSafeInteger(index) || index < 0 || width < 1)
      throw new LedgerError(
        'INVALID_SIZE',
        'Expected a bundle inside the tree, found one beyond it; ask for what the tree size has.',
      );
    const hashes = await this.#hashesOf(0, index);
    const entries = await readWidth(
      this.#read,
      { level: 'entries', index, width },
      decodeEntryBundle,
    );
    if (!entries.every((entry, at) => sameBytes(leafHash(entry), hashes[at] ?? new Uint8Array()))) {
      throw new LedgerError(
        'INVALID_ENTRY_BUNDLE',
        'Expected each entry to hash to its leaf, found another hash; restore the bundle from a copy.',
      );
    }
    return entries;
  }

  /** The state from which appending to this ledger starts. Throws as `entries`. */
  async state(): Promise<LedgerState> {
    const { size } = this.head;
    const entries =
      size % TILE_WIDTH === 0 ? [] : await this.entries(Math.floor(size / TILE_WIDTH));
    return { size, hashes: this.#edge, entries };
  }

  async #hashesOf(level: number, index: number): Promise<readonly Uint8Array[]> {
    if (index === Math.floor(hashesAtLevel(this.head.size, level) / TILE_WIDTH))
      return this.#edge[level] ?? [];
    return this.#tiles.get(`${level}/${index}`, () => this.#fullTile(level, index));
  }

  async #fullTile(level: number, index: number): Promise<readonly Uint8Array[]> {
    const above = await this.#hashesOf(level + 1, Math.floor(index / TILE_WIDTH));
    const hashes = await readWidth(this.#read, { level, index, width: TILE_WIDTH }, decodeHashTile);
    const expected = above[index % TILE_WIDTH];
    if (expected === undefined || !sameBytes(rootOfHashes(hashes), expected)) {
      throw new LedgerError(
        'INVALID_TILE',
        "Expected the tile's root in the tile above it, found another; restore it from a copy.",
      );
    }
    return hashes;
  }
}

async function readEdge(
  read: ReadLedgerFile,
  size: number,
  level: number,
): Promise<readonly Uint8Array[]> {
  const hashes = hashesAtLevel(size, level);
  const width = hashes % TILE_WIDTH;
  return width === 0
    ? []
    : readWidth(read, { level, index: Math.floor(hashes / TILE_WIDTH), width }, decodeHashTile);
}

/**
 * Once the full file exists, the partial file may be deleted (tlog-tiles, "Partial Tiles"). The
 * beginning of the full file is used then.
 */
async function readWidth(
  read: ReadLedgerFile,
  tile: Tile,
  decode: (bytes: Uint8Array, width: number) => Uint8Array[],
): Promise<Uint8Array[]> {
  const bytes = await read(tilePath(tile));
  if (bytes !== undefined) return decode(bytes, tile.width);
  const full =
    tile.width < TILE_WIDTH ? await read(tilePath({ ...tile, width: TILE_WIDTH })) : undefined;
  if (full === undefined)
    throw new LedgerError(
      'TILE_MISSING',
      "Expected a file that the checkpoint's size requires, found none; it may not be visible yet, or restore it from a copy.",
    );
  return decode(full, TILE_WIDTH).slice(0, tile.width);
}
