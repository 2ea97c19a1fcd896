import { defined } from '@residency/defined';
import { signCheckpoint } from '@residency/ledger';
import { beforeAll, describe, expect, it } from 'vitest';
import { fsck } from '../src/verifying/fsck.ts';
import type { FsckReport } from '../src/verifying/fsck.ts';
import { flipped, leaf, leaves, testLedger, withBit } from './ledger.ts';
import type { TestLedger } from './ledger.ts';

/** Two full tiles and a partial one. */
const SMALL = 600;

let small: TestLedger;
beforeAll(async () => {
  small = await testLedger(leaves(SMALL));
});

const check = (ledger: TestLedger, since?: Uint8Array): Promise<FsckReport> =>
  fsck(ledger.read, { trust: ledger.trust, ...defined({ since }) });

it('finds a ledger as it was written to be what its checkpoint says', async () => {
  expect(await check(small)).toMatchObject({
    checkpoint: { origin: 'ledger.example/log-1/0', size: SMALL },
    entryFaults: { total: 0 },
    files: 7,
  });
  expect(await check(small)).not.toHaveProperty('fault');
  expect(await check(await testLedger([]))).not.toHaveProperty('fault');
});

describe('one bit flipped', () => {
  it('in any file of the ledger is found, and that file is named', async () => {
    for (const [path, bytes] of small.files) {
      if (path === 'checkpoint') continue;
      for (let bit = 0; bit < bytes.length * 8; bit += 1 + Math.floor((bytes.length * 8) / 12)) {
        const { fault } = await check(flipped(small, path, bit));
        expect([path, bit, fault?.path]).toEqual([path, bit, path]);
      }
    }
  });

  it('anywhere in the checkpoint is found, and the checkpoint named', async () => {
    const length = small.files.get('checkpoint')?.length ?? 0;
    for (let bit = 0; bit < length * 8; bit += 1) {
      const { fault } = await check(flipped(small, 'checkpoint', bit));
      expect([bit, fault?.path]).toEqual([bit, 'checkpoint']);
    }
  });
});

describe('a file', () => {
  it.each([
    'tile/entries/001',
    'tile/0/001',
    'tile/1/000.p/2',
    'tile/0/002.p/88',
    'tile/entries/002.p/88',
    'checkpoint',
  ])('%s that is missing is named', async (missing) => {
    const files = new Map([...small.files].filter(([path]) => path !== missing));
    expect((await check({ ...small, read: async (path) => files.get(path) })).fault).toMatchObject({
      path: missing,
      code: expect.stringContaining('MISSING'),
    });
  });

  it('that was partial may be gone where the full one is there', async () => {
    const grown = await testLedger(leaves(768));
    const files = new Map(
      [...small.files, ...grown.files].filter(([path]) => !path.includes('002.p/')),
    );
    files.set('checkpoint', small.files.get('checkpoint') ?? new Uint8Array());
    expect(await check({ ...small, read: async (path) => files.get(path) })).not.toHaveProperty(
      'fault',
    );
  });
});

describe('an operator who signs anew', () => {
  const resigned = (events: readonly Buffer[]): Promise<TestLedger> => testLedger(events);

  it('cannot hide a dropped, repeated or moved event or a record that is not an event: the positions show it', async () => {
    const all = leaves(SMALL);
    const faults = async (events: readonly Buffer[]) =>
      (await check(await resigned(events))).entryFaults.list.map(({ code, index }) => [
        code,
        index,
      ]);
    expect(await faults(all.toSpliced(300, 1))).toEqual([['HOLE', 300]]);
    expect(await faults(all.toSpliced(300, 0, leaf(299)))).toEqual([['REPEAT', 300]]);
    expect(await faults(all.toSpliced(300, 2, leaf(301), leaf(300)))).toEqual([
      ['HOLE', 300],
      ['REPEAT', 301],
    ]);
    expect(await faults(all.with(300, Buffer.from('{}')))).toEqual([
      ['UNDECODABLE', 300],
      ['HOLE', 301],
    ]);
  });

  it('cannot hide a rewritten past from a verifier who kept a checkpoint', async () => {
    const kept = small.files.get('checkpoint');
    const rewritten = await resigned([
      ...leaves(300),
      leaf(300, 12),
      ...leaves(SMALL + 50).slice(301),
    ]);
    expect((await check(rewritten, kept)).fault).toMatchObject({
      code: 'INCONSISTENT',
      path: 'checkpoint',
    });
    const honest = await resigned(leaves(SMALL + 50));
    expect(await check(honest, kept)).toMatchObject({ since: SMALL });
    expect(await check(small, kept)).toMatchObject({ since: SMALL });
    expect((await check(await resigned(leaves(SMALL - 1)), kept)).fault).toMatchObject({
      code: 'INCONSISTENT',
    });
    expect(await check(honest, (await testLedger([])).files.get('checkpoint'))).toMatchObject({
      since: 0,
    });
  });

  it('can not show a checkpoint signed for another tree', async () => {
    const other =
      (await resigned([...leaves(SMALL - 1), leaf(SMALL)])).files.get('checkpoint') ??
      new Uint8Array();
    const files = new Map(small.files).set('checkpoint', other);
    expect((await check({ ...small, read: async (path) => files.get(path) })).fault).toMatchObject({
      code: 'ROOT_DIFFERS',
      path: 'checkpoint',
    });
  });

  it('can not sign with another key, or for another ledger', async () => {
    expect(
      (await check({ ...(await testLedger(leaves(3), 2)), trust: small.trust })).fault,
    ).toMatchObject({
      code: 'CHECKPOINT_UNTRUSTED',
      path: 'checkpoint',
      message: expect.stringContaining('KEY_UNKNOWN'),
    });
    const elsewhere = await testLedger(leaves(3));
    elsewhere.files.set(
      'checkpoint',
      await signCheckpoint(
        { origin: 'ledger.example/log-1/7', size: 3, root: new Uint8Array(32), extensions: [] },
        elsewhere.signer,
      ),
    );
    expect((await check(elsewhere)).fault).toMatchObject({
      code: 'CHECKPOINT_UNTRUSTED',
      message: expect.stringContaining('ORIGIN_MISMATCH'),
    });
  });

  it('can not pass off an older checkpoint of anybody as the one that was kept', async () => {
    const foreign = (await testLedger(leaves(3), 2)).files.get('checkpoint');
    expect((await check(small, foreign)).fault).toMatchObject({
      path: '--since',
      code: 'CHECKPOINT_UNTRUSTED',
    });
    expect(
      (await check(small, withBit(small.files.get('checkpoint') ?? new Uint8Array(), 3))).fault,
    ).toMatchObject({ path: '--since' });
  });
});

it('compares the files with the unverified checkpoint if no key is given', async () => {
  expect(await fsck(small.read)).not.toHaveProperty('fault');
  expect((await fsck(flipped(small, 'tile/0/000', 5).read)).fault).toMatchObject({
    path: 'tile/0/000',
  });
});

it('rethrows a read error unchanged, so that the caller can retry', async () => {
  const broken = async (path: string): Promise<Uint8Array | undefined> => {
    if (path === 'tile/0/001') throw new Error('the network is down');
    return small.files.get(path);
  };
  await expect(fsck(broken, { trust: small.trust })).rejects.toThrow('the network is down');
});
