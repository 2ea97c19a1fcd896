import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tile } from '../src/index.ts';
import { TILE_WIDTH, parseTilePath, tilePath, tilesOfGrowth } from '../src/index.ts';
import { codeOf } from './rejects.ts';

const full = (level: Tile['level'], index: number): Tile => ({ level, index, width: TILE_WIDTH });

describe('a tile path', () => {
  it.each<[Tile, string]>([
    [full(0, 0), 'tile/0/000'],
    [full(0, 999), 'tile/0/999'],
    [full(0, 1000), 'tile/0/x001/000'],
    // The specification's example.
    [full(0, 1_234_067), 'tile/0/x001/x234/067'],
    [full(1, 0), 'tile/1/000'],
    [full(63, 42), 'tile/63/042'],
    [{ level: 0, index: 273, width: 112 }, 'tile/0/273.p/112'],
    [{ level: 1, index: 1, width: 17 }, 'tile/1/001.p/17'],
    [{ level: 2, index: 0, width: 1 }, 'tile/2/000.p/1'],
    [full('entries', 0), 'tile/entries/000'],
    [{ level: 'entries', index: 1_234_067, width: 255 }, 'tile/entries/x001/x234/067.p/255'],
    [full('entries', Number.MAX_SAFE_INTEGER), 'tile/entries/x009/x007/x199/x254/x740/991'],
  ])('of %j is %s', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it('and its tile are inverses', () => {
    const tile = fc.record({
      level: fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })),
      index: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: TILE_WIDTH }),
    });
    fc.assert(
      fc.property(tile, (any) => {
        expect(parseTilePath(tilePath(any))).toEqual(any);
      }),
    );
  });

  it.each([
    '',
    'checkpoint',
    'tile/0',
    'tile/0/',
    '/tile/0/000',
    'tile/0/000/',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/00x',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/01/000',
    'tile/entry/000',
    'tile//000',
    'tile/0/x000/000',
    'tile/0/x000/001',
    'tile/0/001/000',
    'tile/0/x001',
    'tile/0/x001/x000',
    'tile/0/X001/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000.p/1/2',
    'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/x001/x009/x007/x199/x254/x740/991',
    'tile/0/../000',
    'tile/0/000\n',
    'tile/0/٠٠٠',
    'tile/1e1/000',
  ])('answers INVALID_TILE_PATH to %j', async (path) => {
    expect(await codeOf(() => parseTilePath(path))).toBe('INVALID_TILE_PATH');
  });

  it.each<Tile>([
    { level: 64, index: 0, width: 1 },
    { level: -1, index: 0, width: 1 },
    { level: 0, index: -1, width: 1 },
    { level: 0, index: 2 ** 53, width: 1 },
    { level: 0, index: 0.5, width: 1 },
    { level: 0, index: 0, width: 0 },
    { level: 0, index: 0, width: 257 },
  ])('is not made of %j', async (tile) => {
    expect(await codeOf(() => tilePath(tile))).toBe('INVALID_TILE_PATH');
  });

  it('parsed from anything fails with a coded error or is what is written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.stringMatching(/^tile\/[0-9enrs]{1,7}\/[x0-9/.p]{0,12}$/)),
        async (path) => {
          expect(['accepted', 'INVALID_TILE_PATH']).toContain(
            await codeOf(() => expect(tilePath(parseTilePath(path))).toBe(path)),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('the tiles of a growth', () => {
  const paths = (from: number, to: number) => [...tilesOfGrowth(from, to)].map(tilePath);

  it('are those of the specification at 70,000: 273 full and a partial of 112, one full and a partial of 17, a partial of 1', () => {
    const all = [...tilesOfGrowth(0, 70_000)];
    const hashes = all.filter(({ level }) => level !== 'entries');
    expect(hashes.filter(({ width }) => width === TILE_WIDTH).map(({ level }) => level)).toEqual([
      ...Array.from({ length: 273 }, () => 0),
      1,
    ]);
    expect(hashes.filter(({ width }) => width < TILE_WIDTH).map(tilePath)).toEqual([
      'tile/0/273.p/112',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
    ]);
    expect(all.filter(({ level }) => level === 'entries')).toHaveLength(274);
  });

  it.each<[number, number, string[]]>([
    [0, 0, []],
    [256, 256, []],
    [0, 1, ['tile/entries/000.p/1', 'tile/0/000.p/1']],
    [1, 3, ['tile/entries/000.p/3', 'tile/0/000.p/3']],
    [0, 256, ['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']],
    [
      255,
      257,
      [
        'tile/entries/000',
        'tile/entries/001.p/1',
        'tile/0/000',
        'tile/0/001.p/1',
        'tile/1/000.p/1',
      ],
    ],
    [257, 300, ['tile/entries/001.p/44', 'tile/0/001.p/44']],
    [65_535, 65_536, ['tile/entries/255', 'tile/0/255', 'tile/1/000', 'tile/2/000.p/1']],
  ])('from %i to %i', (from, to, expected) => {
    expect(paths(from, to)).toEqual(expected);
  });

  it('do not begin a million entries before the end', () => {
    expect(paths(Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER)).toEqual([
      'tile/entries/x035/x184/x372/x088/831.p/255',
      'tile/0/x035/x184/x372/x088/831.p/255',
    ]);
  });

  it.each([
    [2, 1],
    [-1, 1],
    [0, 2 ** 53],
    [0.5, 1],
  ])('answer INVALID_SIZE from %d to %d', async (from, to) => {
    expect(await codeOf(() => [...tilesOfGrowth(from, to)])).toBe('INVALID_SIZE');
  });
});
