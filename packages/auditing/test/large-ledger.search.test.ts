import { beforeAll, expect, it } from 'vitest';
import { fsck } from '../src/verifying/fsck.ts';
import { flipped, leaves, testLedger } from './ledger.ts';
import type { TestLedger } from './ledger.ts';

/** More than a full tile of tiles, which is 65,536 leaves. */
const LARGE = 65_536 + 300;

let large: TestLedger;
beforeAll(async () => {
  large = await testLedger(leaves(LARGE));
});

it('holds a few bundles at a time, in order', async () => {
  const reached: number[] = [];
  let [open, most] = [0, 0];
  const read = async (path: string): Promise<Uint8Array | undefined> => {
    most = Math.max(most, (open += 1));
    await Promise.resolve();
    open -= 1;
    return large.files.get(path);
  };
  const report = await fsck(read, {
    trust: large.trust,
    onProgress: (entries) => reached.push(entries),
  });
  expect(report).not.toHaveProperty('fault');
  expect(report).toMatchObject({ checkpoint: { size: LARGE }, entryFaults: { total: 0 } });
  expect(reached).toEqual(reached.toSorted((a, b) => a - b));
  expect(most).toBeLessThanOrEqual(16);
});

it('a bit flipped in a tile of each level is found, and that file is named', async () => {
  for (const path of [
    'tile/entries/255',
    'tile/0/256',
    'tile/1/000',
    'tile/1/001.p/1',
    'tile/2/000.p/1',
  ]) {
    const { fault } = await fsck(flipped(large, path, 77).read, { trust: large.trust });
    expect([path, fault?.path]).toEqual([path, path]);
  }
});
