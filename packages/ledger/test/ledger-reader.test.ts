import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  LedgerError,
  LedgerReader,
  consistencyProof,
  emptyRoot,
  growth,
  inclusionProof,
  leafHash,
  stateRoot,
  verifyConsistency,
  verifyInclusion,
} from '../src/index.ts';
import type { ReadHash, TreeHead } from '../src/index.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { NaiveTree, entriesUpTo, hex } from './naive-tree.ts';
import { bitFlips, codeOf } from './rejects.ts';

const SIZE = 1_300;
const tree = new NaiveTree(entriesUpTo(SIZE));
const sizes = [1, 255, 256, 600, 1_024, SIZE];
const headOf = (size: number): TreeHead => ({ size, root: tree.root(0, size) });
let ledger: MemoryLedger;

beforeEach(() => {
  ledger = new MemoryLedger();
  for (const size of sizes) ledger.grow(tree.entries.slice(ledger.state.size, size));
});

const hashesOf =
  (reader: LedgerReader): ReadHash =>
  (height, index) =>
    reader.hash(height, index);

/** Everything that a reader can be asked for. */
async function readAll(reader: LedgerReader): Promise<void> {
  for (let bundle = 0; bundle * 256 < reader.head.size; bundle += 1) await reader.entries(bundle);
  for (let index = 0; index < reader.head.size; index += 64)
    await inclusionProof(reader.head.size, index, hashesOf(reader));
}

describe('a published ledger', () => {
  it.each(sizes)('at size %i proves every entry, and every smaller size', async (size) => {
    const reader = await LedgerReader.open(headOf(size), ledger.read);
    for (let index = 0; index < size; index += 7) {
      const proof = await inclusionProof(size, index, hashesOf(reader));
      expect(() =>
        verifyInclusion(headOf(size), index, leafHash(tree.entries[index] ?? emptyRoot()), proof),
      ).not.toThrow();
    }
    for (let older = 0; older <= size; older += 13) {
      const proof = await consistencyProof(older, size, hashesOf(reader));
      expect(() => verifyConsistency(headOf(older), headOf(size), proof)).not.toThrow();
    }
  });

  it.each(sizes)('at size %i gives back its entries in order', async (size) => {
    const reader = await LedgerReader.open(headOf(size), ledger.read);
    const entries = [];
    for (let bundle = 0; bundle * 256 < size; bundle += 1)
      entries.push(...(await reader.entries(bundle)));
    expect(entries.map(hex)).toEqual(tree.entries.slice(0, size).map(hex));
  });

  it.each(sizes)('at size %i gives the state that growth goes on from', async (size) => {
    const state = await (await LedgerReader.open(headOf(size), ledger.read)).state();
    expect(hex(stateRoot(state))).toBe(hex(tree.root(0, size)));
    const { root, files } = growth(state, tree.entries.slice(size));
    expect(hex(root)).toBe(hex(tree.root()));
    ledger.write(files);
  });

  it('without an entry opens, and has nothing', async () => {
    const reader = await LedgerReader.open({ size: 0, root: emptyRoot() }, async () => undefined);
    expect(await reader.state()).toEqual({ size: 0, hashes: [], entries: [] });
    expect(await codeOf(() => reader.entries(0))).toBe('INVALID_SIZE');
    expect(
      await codeOf(() => LedgerReader.open({ size: 0, root: tree.root() }, async () => undefined)),
    ).toBe('ROOT_MISMATCH');
  });

  it('whose partial files were deleted is read from the full ones', async () => {
    for (const path of ledger.files.keys()) {
      if (path.includes('.p/') && ledger.files.has(path.slice(0, path.indexOf('.p/'))))
        ledger.files.delete(path);
    }
    expect(ledger.files.has('tile/0/002.p/88')).toBe(false);
    await readAll(await LedgerReader.open(headOf(600), ledger.read));
  });

  it('is read tile by tile, each once while it is at hand', async () => {
    const asked: string[] = [];
    const reader = await LedgerReader.open(
      headOf(SIZE),
      (path) => (asked.push(path), ledger.read(path)),
    );
    await Promise.all([
      inclusionProof(SIZE, 3, hashesOf(reader)),
      inclusionProof(SIZE, 4, hashesOf(reader)),
      consistencyProof(600, SIZE, hashesOf(reader)),
    ]);
    expect(asked.toSorted()).toEqual([
      'tile/0/000',
      'tile/0/002',
      'tile/0/005.p/20',
      'tile/1/000.p/5',
    ]);
  });

  it.each([
    [0, SIZE],
    [0, -1],
    [0, 0.5],
    [11, 0],
    [10, 1],
    [-1, 0],
    [0, Number.NaN],
    [2_000, 0],
  ])('answers INVALID_SIZE to the hash at height %d, index %d', async (height, index) => {
    const reader = await LedgerReader.open(headOf(SIZE), ledger.read);
    expect(await codeOf(() => reader.hash(height, index))).toBe('INVALID_SIZE');
  });

  it.each([-1, 6, 0.5, Number.NaN])('answers INVALID_SIZE to bundle %d', async (bundle) => {
    const reader = await LedgerReader.open(headOf(SIZE), ledger.read);
    expect(await codeOf(() => reader.entries(bundle))).toBe('INVALID_SIZE');
  });
});

describe('a damaged ledger', () => {
  it('is rejected with any bit flipped in any file of its size', async () => {
    const names = [
      'tile/0/000',
      'tile/0/004',
      'tile/0/005.p/20',
      'tile/1/000.p/5',
      'tile/entries/003',
      'tile/entries/005.p/20',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), async (path, bit) => {
        const bytes = ledger.files.get(path) ?? emptyRoot();
        const flipped = new Uint8Array(bytes);
        const at = bit % (bytes.length * 8);
        flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7));
        const code = await codeOf(async () =>
          readAll(
            await LedgerReader.open(headOf(SIZE), async (asked) =>
              asked === path ? flipped : ledger.read(asked),
            ),
          ),
        );
        expect(code).toBe(
          path.startsWith('tile/entries')
            ? 'INVALID_ENTRY_BUNDLE'
            : path.includes('.p/')
              ? 'ROOT_MISMATCH'
              : 'INVALID_TILE',
        );
      }),
      { numRuns: 60 },
    );
  });

  it('is rejected with any bit flipped in a bundle', async () => {
    const one = new MemoryLedger();
    const root = one.grow(tree.entries.slice(0, 3));
    for (const flipped of bitFlips(one.files.get('tile/entries/000.p/3') ?? emptyRoot())) {
      one.files.set('tile/entries/000.p/3', flipped);
      expect(await codeOf(async () => (await one.open(root)).entries(0))).toBe(
        'INVALID_ENTRY_BUNDLE',
      );
    }
  });

  it('is rejected with another root or size in its head', async () => {
    expect(
      await codeOf(() => LedgerReader.open({ size: 600, root: tree.root(0, 255) }, ledger.read)),
    ).toBe('ROOT_MISMATCH');
    expect(
      await codeOf(() => LedgerReader.open({ size: 255, root: tree.root(0, 600) }, ledger.read)),
    ).toBe('ROOT_MISMATCH');
    expect(
      await codeOf(() => LedgerReader.open({ size: 255, root: new Uint8Array(31) }, ledger.read)),
    ).toBe('INVALID_CHECKPOINT');
    expect(
      await codeOf(() => LedgerReader.open({ size: 2 ** 53, root: tree.root() }, ledger.read)),
    ).toBe('INVALID_CHECKPOINT');
  });

  it.each([
    ['tile/1/000.p/5', 'INVALID_TILE'],
    ['tile/0/005.p/20', 'INVALID_TILE'],
    ['tile/0/002', 'INVALID_TILE'],
    ['tile/entries/002', 'INVALID_ENTRY_BUNDLE'],
  ])('with %s cut short answers %s, and TILE_MISSING without it', async (path, code) => {
    const bytes = ledger.files.get(path) ?? emptyRoot();
    ledger.files.set(path, bytes.subarray(0, -1));
    expect(
      await codeOf(async () => readAll(await LedgerReader.open(headOf(SIZE), ledger.read))),
    ).toBe(code);
    ledger.files.delete(path);
    expect(
      await codeOf(async () => readAll(await LedgerReader.open(headOf(SIZE), ledger.read))),
    ).toBe('TILE_MISSING');
  });

  it('asks again for a tile that failed: a missing one is to be retried', async () => {
    const bytes = ledger.files.get('tile/0/001') ?? emptyRoot();
    ledger.files.delete('tile/0/001');
    const reader = await LedgerReader.open(headOf(SIZE), ledger.read);
    await expect(reader.entries(1)).rejects.toMatchObject({
      code: 'TILE_MISSING',
      remedy: 'retry',
    });
    ledger.files.set('tile/0/001', bytes);
    expect(await reader.entries(1)).toHaveLength(256);
  });

  it('passes on what reading throws', async () => {
    const failure = new Error('the store is down');
    await expect(LedgerReader.open(headOf(SIZE), () => Promise.reject(failure))).rejects.toBe(
      failure,
    );
    expect(failure).not.toBeInstanceOf(LedgerError);
  });
});

it('walking through a ledger of 70,000 keeps a bounded number of tiles', async () => {
  const large = new MemoryLedger();
  const root = large.grow(entriesUpTo(70_000));
  let asked = 0;
  const reader = await LedgerReader.open(
    { size: 70_000, root },
    (path) => ((asked += 1), large.read(path)),
  );
  for (let bundle = 0; bundle < 274; bundle += 1) await reader.entries(bundle);
  const once = asked;
  await reader.entries(0);
  expect(asked).toBeGreaterThan(once + 1); // Tile 0 is no longer kept; its parent may be.
  expect(once).toBeLessThan(274 * 2 + 10);
});
