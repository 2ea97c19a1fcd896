import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_ENTRY_BYTES,
  TILE_WIDTH,
  decodeEntryBundle,
  decodeHashTile,
  emptyRoot,
  encodeEntryBundle,
  encodeHashTile,
} from '../src/index.ts';
import { bytesOf, fromHex, hex } from './naive-tree.ts';
import { codeOf } from './rejects.ts';

describe('an entry bundle', () => {
  it('is each entry behind its length', () => {
    expect(hex(encodeEntryBundle([bytesOf('a'), new Uint8Array(), bytesOf('bc')]))).toBe(
      '000161000000026263',
    );
    expect(hex(encodeEntryBundle([new Uint8Array(258)]).subarray(0, 3))).toBe('010200');
  });

  it('and its entries are inverses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: TILE_WIDTH }),
        (entries) => {
          const bundle = encodeEntryBundle(entries);
          expect(decodeEntryBundle(bundle, entries.length).map(hex)).toEqual(entries.map(hex));
          expect(hex(encodeEntryBundle(decodeEntryBundle(bundle, entries.length)))).toBe(
            hex(bundle),
          );
        },
      ),
    );
  });

  it('holds 256 entries of 65,535 bytes', () => {
    const entries = Array.from({ length: TILE_WIDTH }, () => new Uint8Array(MAX_ENTRY_BYTES));
    expect(decodeEntryBundle(encodeEntryBundle(entries), TILE_WIDTH)).toEqual(entries);
  });

  it('answers INVALID_ENTRY to one of 65,536, INVALID_ENTRY_BUNDLE to 257 and to none', async () => {
    expect(await codeOf(() => encodeEntryBundle([new Uint8Array(MAX_ENTRY_BYTES + 1)]))).toBe(
      'INVALID_ENTRY',
    );
    expect(
      await codeOf(() =>
        encodeEntryBundle(Array.from({ length: TILE_WIDTH + 1 }, () => new Uint8Array())),
      ),
    ).toBe('INVALID_ENTRY_BUNDLE');
    expect(await codeOf(() => encodeEntryBundle([]))).toBe('INVALID_ENTRY_BUNDLE');
  });

  it.each([
    ['cut in an entry', '000161000262', 2],
    ['cut in a length', '00016100', 2],
    ['with fewer entries than its path says', '000161', 2],
    ['with more', '000161000162', 1],
    ['with bytes behind the last', '00016100', 1],
    ['empty', '', 1],
    ['of width 0', '', 0],
    ['of width 257', '0000'.repeat(257), 257],
    ['of no width', '0000', Number.NaN],
  ])('answers INVALID_ENTRY_BUNDLE when it is %s', async (_, bytes, width) => {
    expect(await codeOf(() => decodeEntryBundle(fromHex(bytes), width))).toBe(
      'INVALID_ENTRY_BUNDLE',
    );
  });
});

describe('a hash tile', () => {
  it('and its hashes are inverses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
          minLength: 1,
          maxLength: TILE_WIDTH,
        }),
        (hashes) => {
          expect(decodeHashTile(encodeHashTile(hashes), hashes.length).map(hex)).toEqual(
            hashes.map(hex),
          );
        },
      ),
      { numRuns: 20 },
    );
    expect(encodeHashTile(Array.from({ length: TILE_WIDTH }, emptyRoot))).toHaveLength(8_192);
  });

  it('answers INVALID_TILE to another length, to none and to 257 hashes', async () => {
    for (const [bytes, width] of [
      [31, 1],
      [33, 1],
      [0, 1],
      [0, 0],
      [32, 2],
      [64, 1],
      [257 * 32, 257],
    ] as const)
      expect(await codeOf(() => decodeHashTile(new Uint8Array(bytes), width))).toBe('INVALID_TILE');
    expect(await codeOf(() => encodeHashTile([]))).toBe('INVALID_TILE');
    expect(await codeOf(() => encodeHashTile([new Uint8Array(31)]))).toBe('INVALID_TILE');
    expect(
      await codeOf(() => encodeHashTile(Array.from({ length: TILE_WIDTH + 1 }, emptyRoot))),
    ).toBe('INVALID_TILE');
  });
});
