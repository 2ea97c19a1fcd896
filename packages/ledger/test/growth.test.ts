import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_LEDGER,
  MAX_ENTRY_BYTES,
  TILE_WIDTH,
  appendEntries,
  decodeEntryBundle,
  decodeHashTile,
  emptyRoot,
  growth,
  parseTilePath,
  partialFiles,
  stateRoot,
  tilePath,
  tilesOfGrowth,
} from '../src/index.ts';
import type { LedgerFile } from '../src/index.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { NaiveTree, bytesOf, entriesUpTo, hex } from './naive-tree.ts';
import { codeOf } from './rejects.ts';

/** The content of the file by tlog-tiles. */
function naiveContent(tree: NaiveTree, path: string): string[] {
  const { level, index, width } = parseTilePath(path);
  const span = level === 'entries' ? 1 : TILE_WIDTH ** level;
  return Array.from({ length: width }, (_, at) => {
    const from = (index * TILE_WIDTH + at) * span;
    return hex(
      level === 'entries' ? (tree.entries[from] ?? bytesOf('none')) : tree.root(from, from + span),
    );
  });
}

function content({ path, bytes }: LedgerFile): string[] {
  const { level, width } = parseTilePath(path);
  return (level === 'entries' ? decodeEntryBundle(bytes, width) : decodeHashTile(bytes, width)).map(
    hex,
  );
}

describe('growth', () => {
  it('writes exactly the tiles between two sizes, with the content that RFC 6962 gives them, and the root', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(3), fc.nat(300), fc.constantFrom(255, 256, 257, 512)), {
          maxLength: 7,
        }),
        (batches) => {
          const tree = new NaiveTree(entriesUpTo(batches.reduce((sum, batch) => sum + batch, 0)));
          let state = EMPTY_LEDGER;
          for (const batch of batches) {
            const grown = growth(state, tree.entries.slice(state.size, state.size + batch));
            expect(grown.files.map(({ path }) => path).toSorted()).toEqual(
              [...tilesOfGrowth(state.size, state.size + batch)].map(tilePath).toSorted(),
            );
            for (const file of grown.files)
              expect(content(file)).toEqual(naiveContent(tree, file.path));
            expect(hex(grown.root)).toBe(hex(tree.root(0, state.size + batch)));
            ({ state } = grown);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('climbs three tile levels', () => {
    const tree = new NaiveTree(entriesUpTo(66_000));
    const { files, root, state } = growth(EMPTY_LEDGER, tree.entries);
    expect(hex(root)).toBe(hex(tree.root()));
    for (const path of ['tile/1/000', 'tile/1/001.p/1', 'tile/2/000.p/1', 'tile/0/257.p/208']) {
      const [file] = files.filter((one) => one.path === path);
      expect(file === undefined ? [path] : content(file)).toEqual(naiveContent(tree, path));
    }
    expect(state.hashes.map((level) => level.length)).toEqual([208, 1, 1]);
  });

  it('from nothing with nothing is the empty tree and writes nothing', () => {
    expect(growth(EMPTY_LEDGER, [])).toEqual({ state: EMPTY_LEDGER, root: emptyRoot(), files: [] });
  });

  it('in batches that are not published writes only what filled up, and the partial files when it is', () => {
    const entries = entriesUpTo(1_000);
    const ledger = new MemoryLedger();
    for (let from = 0; from < 1_000; from += 90) {
      const { state, files } = appendEntries(ledger.state, entries.slice(from, from + 90));
      expect(files.every(({ path }) => parseTilePath(path).width === TILE_WIDTH)).toBe(true);
      ledger.write(files);
      ledger.state = state;
    }
    ledger.write(partialFiles(ledger.state, 0));
    const once = growth(EMPTY_LEDGER, entries);
    expect([...ledger.files.keys()].toSorted()).toEqual(
      once.files.map(({ path }) => path).toSorted(),
    );
    for (const { path, bytes } of once.files)
      expect(hex(ledger.files.get(path) ?? emptyRoot())).toBe(hex(bytes));
    expect(hex(stateRoot(ledger.state))).toBe(hex(once.root));
  });

  it('repeated after a crash in other batches writes the same bytes under every path they share', () => {
    const entries = entriesUpTo(1_500);
    const ledger = new MemoryLedger();
    ledger.grow(entries.slice(0, 300));
    const published = ledger.state;
    ledger.grow(entries.slice(300, 1_100));
    ledger.state = published;
    ledger.grow(entries.slice(300, 700));
    ledger.grow(entries.slice(700));
    expect(hex(stateRoot(ledger.state))).toBe(hex(new NaiveTree(entries).root()));
  });

  it('keeps its own copy of what stays open: the caller may use its buffer again', () => {
    const buffer = Buffer.from('entry');
    const { state } = growth(EMPTY_LEDGER, [buffer]);
    buffer.fill(0);
    expect(state.entries).toEqual([bytesOf('entry')]);
  });

  it('leaves the state it grew from as it was', () => {
    const before = growth(EMPTY_LEDGER, entriesUpTo(255)).state;
    const copy = structuredClone(before);
    growth(before, entriesUpTo(3));
    expect(before).toEqual(copy);
  });

  it('orders bundles and tiles so that the files below a tile are written before it', () => {
    const order = appendEntries(EMPTY_LEDGER, entriesUpTo(65_536)).files.map(({ path }) => path);
    expect(order.slice(0, 4)).toEqual([
      'tile/entries/000',
      'tile/0/000',
      'tile/entries/001',
      'tile/0/001',
    ]);
    expect(order.slice(-3)).toEqual(['tile/entries/255', 'tile/0/255', 'tile/1/000']);
  });

  it('answers INVALID_ENTRY to one that is too long', async () => {
    expect(
      await codeOf(() => growth(EMPTY_LEDGER, [bytesOf('a'), new Uint8Array(MAX_ENTRY_BYTES + 1)])),
    ).toBe('INVALID_ENTRY');
  });

  it('answers INVALID_SIZE to a state whose parts do not fit its size', async () => {
    const { state } = growth(EMPTY_LEDGER, entriesUpTo(300));
    for (const wrong of [
      { ...state, size: 301 },
      { ...state, entries: [] },
      { ...state, hashes: [] },
      { ...state, hashes: [state.hashes[0] ?? []] },
      { ...state, size: -1 },
      { ...state, size: Number.NaN },
    ]) {
      expect(await codeOf(() => growth(wrong, []))).toBe('INVALID_SIZE');
      expect(await codeOf(() => stateRoot(wrong))).toBe('INVALID_SIZE');
    }
    expect(await codeOf(() => partialFiles(state, 301))).toBe('INVALID_SIZE');
  });
});
