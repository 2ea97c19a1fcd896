import {
  FaultyLedgerStore,
  MemoryLedgerStore,
  STORE_FAULTS,
  faultAt,
  seededFaults,
  someAuditRecords,
} from '@residency/testkit';
import type { LedgerStore } from '../../src/index.ts';
import { codeOf } from '@residency/coded-error';
import { EMPTY_RANGE, appendHashes, leafHash, parseNote, rootOf } from '@residency/ledger';
import type { Signer } from '@residency/ledger';
import { describe, expect, test } from 'vitest';
import {
  entriesUnder,
  grow,
  headOf,
  keptIn,
  leavesOf,
  published,
  signerOf,
} from './some-ledger.ts';

const RECORDS = someAuditRecords(600);
const STEPS = [1, 256, 300, 600];
const LEAVES = leavesOf(RECORDS);

/** The root of every size, from the leaves alone. */
const ROOTS: Uint8Array[] = [rootOf(EMPTY_RANGE)];
let range = EMPTY_RANGE;
for (const leaf of LEAVES) {
  range = appendHashes(range, [leafHash(leaf)]);
  ROOTS.push(rootOf(range));
}

/**
 * Grows in steps, each begun anew until it succeeds, and gives the checkpoints that were ever
 * published.
 */
async function growInSteps(
  store: LedgerStore,
  inner: MemoryLedgerStore,
  batch: () => number,
): Promise<number[]> {
  const sizes: number[] = [];
  const { key, sign } = await signerOf();
  const signer: Signer = {
    key,
    sign: async (message) => {
      // A head is stored before it is signed.
      expect(
        [...inner.files]
          .filter(([path]) => path.startsWith('0/next/'))
          .map(([, bytes]) => bytes.toString()),
      ).toContain(Buffer.from(message).toString());
      return await sign(message);
    },
  };
  const look = async (): Promise<void> => {
    const size = (await published(inner))?.size ?? 0;
    if (size !== sizes.at(-1)) sizes.push(size);
    // Kept before it is published, whatever failed.
    const kept = await keptIn(inner).read('0/checkpoint');
    expect(kept === undefined ? 0 : headOf(parseNote(kept).text).size).toBeGreaterThanOrEqual(size);
  };
  for (const step of STEPS) {
    for (let tries = 0; ; tries += 1) {
      try {
        await grow(store, RECORDS.slice(0, step), { batch, signer, kept: keptIn(store) });
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: 'LEDGER_UNREACHABLE' });
        expect(tries).toBeLessThan(1_000);
      } finally {
        await look();
      }
    }
  }
  return sizes;
}

/** The same tree, one chain of heads from nothing to it, and nothing else. */
async function judge(store: MemoryLedgerStore, sizes: readonly number[]): Promise<'whole'> {
  expect(sizes).toEqual(sizes.toSorted((one, other) => one - other));
  const checkpoint = (await published(store)) ?? expect.fail();
  expect(checkpoint).toMatchObject({ size: 600, root: ROOTS[600] });
  const entries = await entriesUnder(store, checkpoint);
  expect(entries).toHaveLength(LEAVES.length);
  expect(entries.findIndex((entry, index) => LEAVES[index]?.equals(entry) !== true)).toBe(-1);
  const { key } = await signerOf();
  let at = 0;
  while (at < 600) {
    const head = headOf(store.files.get(`0/next/${String(at).padStart(3, '0')}`) ?? expect.fail());
    // Every head ever decided begins the final tree.
    expect([head.origin, Buffer.compare(head.root, ROOTS[head.size] ?? expect.fail())]).toEqual([
      key.name,
      0,
    ]);
    at = head.size;
  }
  expect(at).toBe(600);
  return 'whole';
}

describe('a store that fails once', () => {
  for (const fault of STORE_FAULTS.filter((one) => one !== 'pass')) {
    test(`(${fault}), at whatever call: the ledger is the same`, async () => {
      for (let nth = 0; ; nth += 1) {
        const inner = new MemoryLedgerStore();
        const store = new FaultyLedgerStore(inner, faultAt(nth, fault));
        expect(await judge(inner, await growInSteps(store, inner, () => 200))).toBe('whole');
        if (store.calls.length <= nth) break;
      }
    });
  }
});

test('a store that fails ever so often, and batches of any length: the ledger is the same', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const inner = new MemoryLedgerStore();
    let turn = seed;
    const store = new FaultyLedgerStore(inner, seededFaults(seed, 0.12));
    expect(
      await judge(inner, await growInSteps(store, inner, () => 1 + (((turn += 1) * 7_919) % 300))),
    ).toBe('whole');
  }
});

describe('two writers of one store', () => {
  test('at the same time decide on one chain of heads', async () => {
    for (let round = 0; round < 10; round += 1) {
      const inner = new MemoryLedgerStore();
      const slow = (salt: number): LedgerStore => {
        let turn = salt;
        const pause = async (): Promise<void> => {
          for (let left = ((turn += 1) * 31) % 7; left > 0; left -= 1) await Promise.resolve();
        };
        return {
          read: async (path) => {
            await pause();
            return await inner.read(path);
          },
          create: async (path, bytes) => {
            await pause();
            return await inner.create(path, bytes);
          },
          publish: async (path, bytes, replaces) => {
            await pause();
            await inner.publish(path, bytes, replaces);
          },
        };
      };
      // What the other one did meanwhile: it published, it is ahead of what this one was given to
      // read, its tiles are on their way.
      const MEANWHILE = {
        LEDGER_MOVED: 'again',
        TILE_MISSING: 'again',
        HEAD_AHEAD_OF_LOG: 'on',
        LEDGER_AHEAD_OF_LOG: 'on',
        LEDGER_ROLLED_BACK: 'on',
      } as const;
      const one = async (salt: number): Promise<void> => {
        const store = slow(salt);
        for (const step of STEPS) {
          for (let [next, tries] = ['again', 0]; next === 'again'; tries += 1) {
            expect(tries).toBeLessThan(1_000);
            next = await grow(store, RECORDS.slice(0, step), {
              batch: () => 20 + salt,
              kept: keptIn(store),
            }).then(
              () => 'on',
              (error: unknown) =>
                MEANWHILE[codeOf(error) as keyof typeof MEANWHILE] ?? expect.fail(String(error)),
            );
          }
        }
      };
      await Promise.all([one(round), one(round + 50)]);
      expect(await judge(inner, [])).toBe('whole');
    }
  });
});

describe('a decided head that the log contradicts', () => {
  /**
   * Up to 300 records are published; tiles up to 600 stand, and, if wished, the head that was to
   * follow.
   */
  async function half({ decided }: { readonly decided: boolean }): Promise<MemoryLedgerStore> {
    const inner = new MemoryLedgerStore();
    await grow(inner, RECORDS.slice(0, 300));
    const store = new FaultyLedgerStore(inner, ({ method }) =>
      method === 'publish' ? 'fail' : 'pass',
    );
    await expect(grow(store, RECORDS, { batch: () => 1_000 })).rejects.toMatchObject({
      code: 'LEDGER_UNREACHABLE',
    });
    if (!decided)
      for (const path of inner.files.keys())
        if (path.startsWith('0/next/300')) inner.files.delete(path);
    return inner;
  }
  const OTHER = [...RECORDS.slice(0, 520), ...someAuditRecords(900, 1).slice(520)];

  test.each([true, false])(
    'is a fork, and nothing of it is signed (decided: %s)',
    async (decided) => {
      const store = await half({ decided });
      const contradicting = decided
        ? OTHER
        : [...RECORDS.slice(0, 400), ...someAuditRecords(900, 1).slice(400)];
      const signed: string[] = [];
      const { key, sign } = await signerOf();
      await expect(
        grow(store, contradicting, {
          batch: () => 1_000,
          signer: {
            key,
            sign: async (message) => {
              signed.push(Buffer.from(message).toString());
              return await sign(message);
            },
          },
        }),
      ).rejects.toMatchObject({ code: 'LEDGER_FORK', remedy: 'stop' });
      expect(signed).toEqual([]);
      expect((await published(store))?.size).toBe(300);
    },
  );

  test('is waited for where the log does not have it yet', async () => {
    const store = await half({ decided: true });
    await expect(grow(store, RECORDS.slice(0, 500))).rejects.toMatchObject({
      code: 'HEAD_AHEAD_OF_LOG',
      remedy: 'retry',
    });
    await grow(store, RECORDS);
    expect((await published(store))?.size).toBe(600);
  });

  test('and is no head is a fork', async () => {
    const store = await half({ decided: true });
    for (const text of [
      '',
      'x',
      'residency-router/log-1/0\n300\nAAAA\n',
      Buffer.from(store.files.get('0/next/300') ?? expect.fail())
        .toString()
        .replace('log-1', 'log-2'),
    ]) {
      store.files.set('0/next/300', Buffer.from(text));
      await expect(grow(store, RECORDS)).rejects.toMatchObject({ code: 'LEDGER_FORK' });
    }
  });
});

describe('a published ledger that was altered', () => {
  test.each([
    ['0/tile/0/001.p/44', 'ROOT_MISMATCH'],
    ['0/tile/1/000.p/1', 'ROOT_MISMATCH'],
    ['0/tile/entries/001.p/44', 'INVALID_ENTRY_BUNDLE'],
    ['0/checkpoint', 'SIGNATURE_INVALID'],
    ['0/tile/entries/000', 'INVALID_ENTRY_BUNDLE'],
    ['0/tile/0/000', 'INVALID_TILE'],
  ])('by one bit in %s stops its writer (%s), which signs nothing', async (path, code) => {
    const store = new MemoryLedgerStore();
    await grow(store, RECORDS.slice(0, 300));
    const bytes = Buffer.from(store.files.get(path) ?? expect.fail());
    // Of the checkpoint: a digit of its size.
    const at = path === '0/checkpoint' ? bytes.indexOf('300') + 2 : bytes.length - 3;
    bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
    store.files.set(path, bytes);
    const { key } = await signerOf();
    await expect(
      grow(store, RECORDS, { signer: { key, sign: () => expect.fail() } }),
    ).rejects.toMatchObject({ code, remedy: 'stop' });
  });

  test.each([
    ['0/tile/0/002.p/88', 'ROOT_MISMATCH'],
    ['0/tile/1/000.p/2', 'ROOT_MISMATCH'],
    ['0/tile/0/001', 'INVALID_TILE'],
  ])(
    'while it grows, by a store that keeps other bytes than it took in %s, stops its writer too (%s)',
    async (path, code) => {
      const inner = new MemoryLedgerStore();
      await grow(inner, RECORDS.slice(0, 300));
      const store: LedgerStore = {
        read: (one) => inner.read(one),
        publish: (...args) => inner.publish(...args),
        create: async (one, bytes) => {
          const kept = Buffer.from(bytes);
          if (one === path) kept.writeUInt8(kept.readUInt8(3) ^ 1, 3);
          return await inner.create(one, kept);
        },
      };
      const { key } = await signerOf();
      await expect(
        grow(store, RECORDS, { batch: () => 1_000, signer: { key, sign: () => expect.fail() } }),
      ).rejects.toMatchObject({ code, remedy: 'stop' });
      expect((await published(inner))?.size).toBe(300);
    },
  );

  test('by taking its checkpoint away is published again, head by head as before', async () => {
    const store = new MemoryLedgerStore();
    for (const step of STEPS) await grow(store, RECORDS.slice(0, step));
    const before = new Map(store.files);
    store.files.delete('0/checkpoint');
    await grow(store, RECORDS);
    expect(store.files).toEqual(before);
  });

  test('by putting an older checkpoint back is published again, head by head as before', async () => {
    const store = new MemoryLedgerStore();
    await grow(store, RECORDS.slice(0, 100));
    const old = store.files.get('0/checkpoint') ?? expect.fail();
    for (const step of STEPS.slice(1)) await grow(store, RECORDS.slice(0, step));
    const before = new Map(store.files);
    store.files.set('0/checkpoint', old);
    await grow(store, RECORDS);
    expect(store.files).toEqual(before);
  });
});
