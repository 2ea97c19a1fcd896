import {
  auditPartition,
  FaultyLedgerStore,
  MemoryLedgerStore,
  STORE_FAULTS,
  faultAt,
  someAuditRecords,
} from '@residency/testkit';
import { codeOf } from '@residency/coded-error';
import { makeKey, openLedgerKeys, openSignerKey, parseNote } from '@residency/ledger';
import type { LedgerKeys } from '@residency/ledger';
import { describe, expect, test } from 'vitest';
import {
  beginLedger,
  changeKey,
  compareKept,
  followKeys,
  fsck,
  ledgerOrigin,
  ledgerPath,
} from '../../src/index.ts';
import type { LedgerStore } from '../../src/index.ts';
import {
  SECRET,
  entriesUnder,
  grow,
  headOf,
  keptIn,
  leavesOf,
  published,
  signerOf,
} from './some-ledger.ts';

const RECORDS = someAuditRecords(400);
const OTHER = someAuditRecords(900, 1);
const NEXT = (await makeKey('residency-router', new Uint8Array(32).fill(8), 1)).signerKey;
const ORIGIN = ledgerOrigin('residency-router', 'log-1', auditPartition());

interface World {
  readonly store: MemoryLedgerStore;
  readonly kept: MemoryLedgerStore;
}

async function grown(size = 5): Promise<World> {
  const world = { store: new MemoryLedgerStore(), kept: new MemoryLedgerStore() };
  await grow(world.store, RECORDS.slice(0, size), { kept: world.kept });
  return world;
}

function copyOf({ files }: MemoryLedgerStore): MemoryLedgerStore {
  const copy = new MemoryLedgerStore();
  for (const [path, bytes] of files) copy.files.set(path, bytes);
  return copy;
}

const neverSigns = async () => ({ key: (await signerOf()).key, sign: () => expect.fail() });

describe('what is kept apart', () => {
  test.each([
    ['the log and the ledger put back', 3, [...RECORDS.slice(0, 3), ...OTHER.slice(3, 8)]],
    ['the log and the ledger put back, and nothing new', 3, RECORDS.slice(0, 3)],
    ['the ledger lost, and the log cut', 0, RECORDS.slice(0, 4)],
    ['the ledger lost, and the log another', 0, OTHER.slice(0, 9)],
    ['the ledger lost, and the log empty', 0, []],
  ])('is not contradicted: %s', async (_, size, records) => {
    const { kept, store: newest } = await grown(5);
    const { store } = size === 0 ? { store: new MemoryLedgerStore() } : await grown(size);
    const before = new Map(store.files);
    await expect(grow(store, records, { kept, signer: await neverSigns() })).rejects.toMatchObject({
      code: 'LEDGER_ROLLED_BACK',
      remedy: 'stop',
      message: expect.stringMatching(/\b5 events/),
    });
    expect(store.files).toEqual(before);
    expect(
      await compareKept((path) => store.read(`0/${path}`), kept.files.get('0/checkpoint')),
    ).toMatchObject({ code: 'ROLLED_BACK' });
    expect(
      await compareKept((path) => newest.read(`0/${path}`), kept.files.get('0/checkpoint')),
    ).toBeUndefined();
  });

  test('is not contradicted by a ledger that was signed anew, larger, in another way', async () => {
    const { kept } = await grown(5);
    const store = new MemoryLedgerStore();
    await grow(store, OTHER.slice(0, 9));
    await expect(
      grow(store, OTHER.slice(0, 12), { kept, signer: await neverSigns() }),
    ).rejects.toMatchObject({
      code: 'LEDGER_ROLLED_BACK',
      message: expect.stringMatching(/the 5 events .*found 9/),
    });
    expect(
      await compareKept((path) => store.read(`0/${path}`), kept.files.get('0/checkpoint')),
    ).toMatchObject({ code: 'ROLLED_BACK' });
  });

  test('is ahead where a writer was killed before it published, and the log has all of it', async () => {
    const { store, kept } = await grown(3);
    const dying: LedgerStore = {
      read: (path) => store.read(path),
      create: (path, bytes) => store.create(path, bytes),
      publish: () => Promise.reject(new Error('killed')),
    };
    await expect(grow(dying, RECORDS.slice(0, 5), { kept })).rejects.toThrow('killed');
    expect([
      headOf(parseNote(kept.files.get('0/checkpoint') ?? expect.fail()).text).size,
      (await published(store))?.size,
    ]).toEqual([5, 3]);
    // Nobody takes that for a copy that was put back.
    expect(
      await compareKept((path) => store.read(`0/${path}`), kept.files.get('0/checkpoint')),
    ).toBeUndefined();
    await grow(store, RECORDS.slice(0, 7), { kept });
    expect((await published(store))?.size).toBe(7);
  });

  test('is behind, or gone, where it was lost itself: then it is kept again', async () => {
    const { kept } = await grown(5);
    for (const old of [(await grown(3)).kept, new MemoryLedgerStore()]) {
      const { store } = await grown(5);
      await grow(store, RECORDS.slice(0, 6), { kept: old });
      await grow(store, RECORDS.slice(0, 7), { kept: old });
      expect(headOf(parseNote(old.files.get('0/checkpoint') ?? expect.fail()).text).size).toBe(7);
    }
    expect(headOf(parseNote(kept.files.get('0/checkpoint') ?? expect.fail()).text).size).toBe(5);
  });

  test.each<[string, string, (kept: MemoryLedgerStore) => Promise<unknown>]>([
    [
      'by another key',
      'LEDGER_KEY_UNKNOWN',
      async (kept) =>
        grow(new MemoryLedgerStore(), RECORDS.slice(0, 5), {
          kept,
          signer: await openSignerKey(NEXT, ORIGIN),
        }),
    ],
    [
      'of another log',
      'LEDGER_KEY_UNKNOWN',
      async (kept) =>
        grow(new MemoryLedgerStore(), RECORDS.slice(0, 5), {
          kept,
          signer: await openSignerKey(SECRET, 'residency-router/log-2/0'),
        }),
    ],
    [
      'by nobody',
      'KEPT_CHECKPOINT_INVALID',
      async (kept) => kept.publish('0/checkpoint', Buffer.from('x'), undefined),
    ],
    [
      'of a later ledger',
      'LEDGER_ROLLED_BACK',
      async (kept) => kept.publish('0/g2/checkpoint', Buffer.from('x'), undefined),
    ],
  ])('that was signed %s stops the signer (%s)', async (_, code, put) => {
    const { store } = await grown(5);
    const kept = new MemoryLedgerStore();
    await put(kept);
    await expect(
      grow(store, RECORDS.slice(0, 6), { kept, signer: await neverSigns() }),
    ).rejects.toMatchObject({ code, remedy: 'stop' });
  });
});

const FAULTS = STORE_FAULTS.filter((one) => one !== 'pass');

async function bothKeys(): Promise<LedgerKeys> {
  return await openLedgerKeys({ generation: 1, secrets: [SECRET, NEXT], former: [] }, ORIGIN);
}

describe('a change of key', () => {
  test.each(FAULTS)(
    'over a store and a place apart that fail once (%s), at whatever call, is done once it is repeated',
    async (fault) => {
      for (let nth = 0; ; nth += 1) {
        const inner = new MemoryLedgerStore();
        await grow(inner, RECORDS.slice(0, 5), { kept: keptIn(inner) });
        const store = new FaultyLedgerStore(inner, faultAt(nth, fault));
        const terms = { ...(await bothKeys()), store, kept: keptIn(store), of: auditPartition() };
        const first = await changeKey(terms).catch((error: unknown) => codeOf(error));
        expect(['signed', 'LEDGER_UNREACHABLE']).toContain(first);
        // An auditor may have gone on in between, with the old key or with both.
        if (nth % 2 === 0)
          await grow(inner, RECORDS.slice(0, 7), { kept: keptIn(inner), ...(await bothKeys()) });
        expect(await changeKey({ ...terms, store: inner, kept: keptIn(inner) })).toBe('signed');
        const [old, next] = [await signerOf(), await openSignerKey(NEXT, ORIGIN)];
        const { former, signer } = await openLedgerKeys(
          {
            generation: 1,
            secrets: [NEXT],
            former: [
              (await makeKey('residency-router', new Uint8Array(32).fill(7), 1)).verifierKey,
            ],
          },
          ORIGIN,
        );
        await grow(inner, RECORDS.slice(0, 9), { kept: keptIn(inner), signer, former });
        const read = (path: string) => inner.read(`0/${path}`);
        expect((await followKeys(read, [old.key])).map(({ id }) => id)).toEqual([
          old.key.id,
          next.key.id,
        ]);
        expect(await fsck(read, { trust: { keys: [next.key] } })).toMatchObject({
          checkpoint: { size: 9 },
        });
        if (store.calls.length <= nth) break;
      }
    },
  );

  test('through several keys is followed from the first one to the last, and never to one that no key vouched for', async () => {
    const { store, kept } = await grown(5);
    const secrets = [
      SECRET,
      ...(await Promise.all(
        [20, 21, 22].map(
          async (seed) =>
            (await makeKey('residency-router', new Uint8Array(32).fill(seed), 1)).signerKey,
        ),
      )),
    ];
    for (const [at, secret] of secrets.slice(1).entries()) {
      const keys = await openLedgerKeys(
        { generation: 1, secrets: [secrets[at] ?? '', secret], former: [] },
        ORIGIN,
      );
      await changeKey({
        ...keys,
        former: [
          (await signerOf()).key,
          ...(await Promise.all(
            secrets.slice(0, at).map(async (one) => (await openSignerKey(one, ORIGIN)).key),
          )),
        ].slice(1),
        store,
        kept,
        of: auditPartition(),
      });
    }
    const signer = await openSignerKey(secrets.at(-1) ?? '', ORIGIN);
    await grow(store, RECORDS.slice(0, 8), {
      signer,
      former: [(await openSignerKey(secrets.at(-2) ?? '', ORIGIN)).key],
    });
    const read = (path: string) => store.read(`0/${path}`);
    const first = (await signerOf()).key;
    expect((await followKeys(read, [first])).map(({ id }) => id)).toEqual(
      await Promise.all(
        secrets.map(async (secret) => (await openSignerKey(secret, ORIGIN)).key.id),
      ),
    );
    // A thief, who can write every file and has no key: his signature beside an old one says
    // nothing.
    const thief = await openSignerKey(
      (await makeKey('residency-router', new Uint8Array(32).fill(99), 1)).signerKey,
      ORIGIN,
    );
    const stolen = new MemoryLedgerStore();
    await grow(stolen, OTHER.slice(0, 9), { signer: thief });
    stolen.files.set(
      `0/keys/${thief.key.id.toString(16).padStart(8, '0')}`,
      stolen.files.get('0/checkpoint') ?? expect.fail(),
    );
    expect(await followKeys((path) => stolen.read(`0/${path}`), [first])).toEqual([first]);
  });
});

describe('a new ledger', () => {
  const SECOND = ledgerOrigin('residency-router', 'log-1', auditPartition(), 2);

  test.each(FAULTS)(
    'begun over places that fail once (%s), at whatever call, begins with the newest checkpoint that is left',
    async (fault) => {
      for (let nth = 0; ; nth += 1) {
        const inner = new MemoryLedgerStore();
        await grow(inner, RECORDS.slice(0, 5), { kept: keptIn(inner) });
        const last = inner.files.get('0/checkpoint') ?? expect.fail();
        // The ledger was put back; what is kept was not.
        inner.files.set(
          '0/checkpoint',
          (await grown(3)).store.files.get('0/checkpoint') ?? expect.fail(),
        );
        const store = new FaultyLedgerStore(inner, faultAt(nth, fault));
        const terms = { store, kept: keptIn(store), of: auditPartition(), generation: 2 };
        await beginLedger(terms).catch((error: unknown) => {
          expect(codeOf(error)).toBe('LEDGER_UNREACHABLE');
        });
        expect(await beginLedger({ ...terms, store: inner, kept: keptIn(inner) })).toEqual({
          after: 5,
        });
        const signer = await openSignerKey(NEXT, SECOND);
        await grow(inner, RECORDS.slice(0, 4), { kept: keptIn(inner), signer, generation: 2 });
        await grow(inner, RECORDS, { kept: keptIn(inner), signer, generation: 2 });
        const read = (path: string) => inner.read(ledgerPath(auditPartition(), path, 2));
        const report = await fsck(read, {
          trust: { keys: [signer.key] },
          kept: (await keptIn(inner).read('0/g2/checkpoint')) ?? expect.fail(),
        });
        expect([report.fault, report.entryFaults.total, report.checkpoint]).toEqual([
          undefined,
          0,
          expect.objectContaining({ origin: SECOND, size: 401 }),
        ]);
        const second: LedgerStore = {
          read: (path) => inner.read(path.replace(/^0\//, '0/g2/')),
          create: () => expect.fail(),
          publish: () => expect.fail(),
        };
        const entries = await entriesUnder(second, report.checkpoint ?? expect.fail());
        expect(entries).toEqual([last, ...leavesOf(RECORDS)]);
        if (store.calls.length <= nth) break;
      }
    },
  );

  test('is made again from the log and what is kept where its store is lost', async () => {
    const { store, kept } = await grown(5);
    await beginLedger({ store, kept, of: auditPartition(), generation: 2 });
    const signer = await openSignerKey(NEXT, SECOND);
    await grow(store, RECORDS, { kept, signer, generation: 2 });
    const again = new MemoryLedgerStore();
    await grow(again, RECORDS, { kept: copyOf(kept), signer, generation: 2 });
    expect(again.files.get('0/g2/checkpoint')).toEqual(store.files.get('0/g2/checkpoint'));
  });

  test('begins with the empty leaf where no checkpoint is left', async () => {
    const [store, kept] = [new MemoryLedgerStore(), new MemoryLedgerStore()];
    expect(await beginLedger({ store, kept, of: auditPartition(), generation: 2 })).toEqual({});
    await grow(store, RECORDS.slice(0, 2), {
      kept,
      signer: await openSignerKey(NEXT, SECOND),
      generation: 2,
    });
    expect(headOf(parseNote(store.files.get('0/g2/checkpoint') ?? expect.fail()).text).size).toBe(
      3,
    );
  });
});
