import { defined } from '@residency/defined';
import {
  EMPTY_LEDGER,
  HASH_BYTES,
  TILE_WIDTH,
  appendEntries,
  decodeEntryBundle,
  partialFiles,
  parseTilePath,
  stateRoot,
  tilePath,
} from '@residency/ledger';
import type { LedgerFile, LedgerState, ReadLedgerFile, Tile } from '@residency/ledger';
import { ahead } from './ahead.ts';
import type { LedgerFault } from './ledger-fault.ts';

export interface Rebuilt {
  readonly root: Uint8Array;
  /** The root at the requested size, if the tree reaches it. */
  readonly olderRoot?: Uint8Array;
  /** The number of files read. */
  readonly files: number;
  /**
   * The first tile that differs from the one that the entries give. The tile, or an entry below it,
   * is at fault.
   */
  readonly differing?: LedgerFault;
}

export interface RebuildOptions {
  /** The number of bundles read concurrently. */
  readonly window: number;
  /** An older size whose root is needed too. */
  readonly olderSize?: number | undefined;
  readonly onEntries: (entries: readonly Uint8Array[], from: number) => void;
}

/**
 * Builds the tree of `size` entries from its bundles alone and compares every full and partial tile
 * with it. An unreadable file is thrown as a fault. Memory: the bundles in the window, and one open
 * tile a level.
 */
export async function rebuild(
  size: number,
  read: ReadLedgerFile,
  options: RebuildOptions,
): Promise<Rebuilt> {
  const tree = new Rebuilding(read, options);
  const widthOf = (index: number): number => Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  const bundles = ahead(Math.ceil(size / TILE_WIDTH), options.window, async (index) => {
    const [entries, leaves] = await Promise.all([
      readBundle(read, index, widthOf(index)),
      readBeginning(read, { level: 0, index, width: widthOf(index) }),
    ]);
    return { entries, leaves };
  });
  for await (const { entries, leaves } of bundles) await tree.add(entries, leaves);
  await tree.end();
  return tree.result();
}

/** Thrown if the tree cannot be built. */
export class LedgerFaulty extends Error {
  readonly fault: LedgerFault;

  constructor(fault: LedgerFault) {
    super(fault.message);
    this.fault = fault;
  }
}

class Rebuilding {
  readonly #read: ReadLedgerFile;
  readonly #options: RebuildOptions;
  #state: LedgerState = EMPTY_LEDGER;
  #olderRoot: Uint8Array | undefined;
  #files = 0;
  #differing: LedgerFault | undefined;
  /** The leaves of the last bundle, which were read with it. */
  #leaves: Uint8Array | undefined;

  constructor(read: ReadLedgerFile, options: RebuildOptions) {
    this.#read = read;
    this.#options = options;
    if (options.olderSize === 0) this.#olderRoot = stateRoot(EMPTY_LEDGER);
  }

  async add(entries: readonly Uint8Array[], leaves: Uint8Array | undefined): Promise<void> {
    const from = this.#state.size;
    this.#options.onEntries(entries, from);
    this.#leaves = leaves;
    this.#files += 1;
    const { olderSize } = this.#options;
    const cut =
      olderSize !== undefined && olderSize > from && olderSize <= from + entries.length
        ? olderSize - from
        : entries.length;
    for (const part of [entries.slice(0, cut), entries.slice(cut)]) {
      const { state, files } = appendEntries(this.#state, part);
      this.#state = state;
      if (state.size === olderSize) this.#olderRoot = stateRoot(state);
      for (const file of files) await this.#compare(file);
    }
  }

  async end(): Promise<void> {
    for (const file of partialFiles(this.#state, 0)) await this.#compare(file);
  }

  result(): Rebuilt {
    return {
      root: stateRoot(this.#state),
      files: this.#files,
      ...defined({ olderRoot: this.#olderRoot, differing: this.#differing }),
    };
  }

  async #compare({ path, bytes }: LedgerFile): Promise<void> {
    const tile = parseTilePath(path);
    // The entries came from the bundle, so it is not compared.
    if (tile.level === 'entries') return;
    const found = tile.level === 0 ? this.#leaves : await readBeginning(this.#read, tile);
    this.#files += 1;
    if (found === undefined) this.#differing ??= missing(path);
    else if (Buffer.compare(found, bytes) !== 0)
      this.#differing ??= {
        code: 'TILE_DIFFERS',
        path,
        message:
          'Expected the hashes that the entries have, found others; restore the tile from a copy.',
      };
  }
}

async function readBundle(
  read: ReadLedgerFile,
  index: number,
  width: number,
): Promise<readonly Uint8Array[]> {
  const tile: Tile = { level: 'entries', index, width };
  const path = tilePath(tile);
  let bytes = await read(path);
  let within = width;
  if (bytes === undefined && width < TILE_WIDTH)
    [bytes, within] = [await read(tilePath({ ...tile, width: TILE_WIDTH })), TILE_WIDTH];
  if (bytes === undefined) throw new LedgerFaulty(missing(path));
  try {
    return decodeEntryBundle(bytes, within).slice(0, width);
  } catch {
    throw new LedgerFaulty({
      code: 'ENTRIES_DIFFER',
      path,
      message: `Expected ${within} whole entries, each behind its length, found another content; restore the bundle from a copy.`,
    });
  }
}

/**
 * Once the full file exists, the partial file may be deleted (tlog-tiles, "Partial Tiles"). The
 * beginning of the full file is used then.
 */
async function readBeginning(read: ReadLedgerFile, tile: Tile): Promise<Uint8Array | undefined> {
  const bytes = await read(tilePath(tile));
  if (bytes !== undefined || tile.width === TILE_WIDTH) return bytes;
  return (await read(tilePath({ ...tile, width: TILE_WIDTH })))?.subarray(
    0,
    tile.width * HASH_BYTES,
  );
}

function missing(path: string): LedgerFault {
  return {
    code: 'FILE_MISSING',
    path,
    message:
      "Expected a file that the checkpoint's size requires, found none; restore it from a copy.",
  };
}
