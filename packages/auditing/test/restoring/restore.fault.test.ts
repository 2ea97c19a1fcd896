import type { LogRecord } from '@residency/contracts';
import {
  auditPartition,
  MemoryLedgerStore,
  someAuditEvent,
  someAuditRecords,
} from '@residency/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditRecord, LedgerStore, RestorePlan } from '../../src/index.ts';
import { LedgerEntries, ledgerOrigin, planRestore, restoreAuditLog } from '../../src/index.ts';
import { grow, keptIn, leavesOf, published, signerOf } from '../growing/some-ledger.ts';
import { MemoryRestorer } from './memory-restorer.ts';

const RECORDS = someAuditRecords(1_500);

async function ledgerOf(records: readonly AuditRecord[]): Promise<MemoryLedgerStore> {
  const store = new MemoryLedgerStore();
  await grow(store, records, { kept: keptIn(store) });
  return store;
}

async function entriesOf(store: LedgerStore, generation?: number): Promise<LedgerEntries> {
  const signer = await signerOf();
  const origin = ledgerOrigin('residency-router', 'log-1', auditPartition(), generation);
  return await LedgerEntries.open({
    place: {
      store,
      of: auditPartition(),
      origin,
      ...(generation === undefined ? {} : { generation }),
    },
    keys: [signer.key],
    kept: keptIn(store),
  });
}

async function restored(store: LedgerStore, log: MemoryRestorer): Promise<RestorePlan> {
  return await restoreAuditLog(await entriesOf(store), log);
}

const bytesOf = (log: MemoryRestorer): readonly Buffer[] => leavesOf(log.all);

describe('an audit log that lost its end', () => {
  test.each([0, 1, 255, 256, 257, 1_024, 1_499])(
    'of %d records gets the others back from the ledger, byte for byte and in order',
    async (left) => {
      const log = new MemoryRestorer(RECORDS.slice(0, left));
      const plan = await restored(await ledgerOf(RECORDS), log);
      expect(plan).toEqual({
        of: auditPartition(),
        entries: 1_500,
        records: left,
        missing: 1_500 - left,
        ahead: false,
        next: 1_500n,
      });
      expect(bytesOf(log)).toEqual(leavesOf(RECORDS));
      expect(log.next).toBe(1_500n);
    },
  );

  test('is whole after any stop, with an append that failed or that failed and was done', async () => {
    const store = await ledgerOf(RECORDS.slice(0, 1_100));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 1_100 }),
        fc.array(fc.constantFrom('failed', 'persisted', 'ok' as const), { maxLength: 6 }),
        async (left, faults) => {
          const log = new MemoryRestorer(RECORDS.slice(0, left), { faults: [...faults] });
          for (let attempt = 0; attempt <= faults.length; attempt += 1)
            await restored(store, log).catch(() => undefined);
          await restored(store, log);
          expect(bytesOf(log)).toEqual(leavesOf(RECORDS.slice(0, 1_100)));
          expect(log.next).toBe(1_100n);
        },
      ),
      { numRuns: 10 },
    );
  });

  test('can be followed by its ledger as before', async () => {
    const store = await ledgerOf(RECORDS.slice(0, 1_000));
    const log = new MemoryRestorer([]);
    await restored(store, log);
    const more = [...log.all, ...RECORDS.slice(1_000)];
    expect((await grow(store, more, { kept: keptIn(store) })).anomalies).toEqual([]);
    expect((await published(store))?.size).toBe(1_500);
  });

  test('gets what was never an event back too, so that the ledger has the same leaves', async () => {
    const odd = [
      ...RECORDS.slice(0, 3),
      { partition: 0, offset: 3n, value: null },
      { partition: 0, offset: 4n, value: Buffer.alloc(70_000, 1) },
      { partition: 0, offset: 5n, value: Buffer.from('no event') },
    ];
    const store = await ledgerOf(odd);
    const log = new MemoryRestorer([]);
    expect(await restored(store, log)).toMatchObject({ missing: 6, next: 3n });
    expect(bytesOf(log)).toEqual(leavesOf(odd));
    await grow(store, [...log.all, RECORDS[3] ?? expect.fail()], { kept: keptIn(store) });
    expect((await published(store))?.size).toBe(7);
  });

  test('gets the entries of a head that was signed and kept, and not published yet', async () => {
    const store = await ledgerOf(RECORDS.slice(0, 700));
    // It reads 100 records at a time, and signs behind each.
    await growUntilKilled(store, RECORDS.slice(0, 900), 'published');
    const log = new MemoryRestorer(RECORDS.slice(0, 10));
    expect(await restored(store, log)).toMatchObject({ entries: 800, missing: 790, next: 800n });
    await grow(store, [...log.all, ...RECORDS.slice(800)], { kept: keptIn(store) });
    expect((await published(store))?.size).toBe(1_500);
  });

  test('gets no entry that only a decided head names: nobody signed it', async () => {
    const store = await ledgerOf(RECORDS.slice(0, 700));
    await growUntilKilled(store, RECORDS.slice(0, 900), 'kept');
    const log = new MemoryRestorer(RECORDS.slice(0, 10));
    expect(await restored(store, log)).toMatchObject({ entries: 700, missing: 690, next: 700n });
    expect((await entriesOf(store)).unsigned).toBe(100);
    const unsigned = new MemoryLedgerStore();
    await growUntilKilled(unsigned, RECORDS.slice(0, 300), 'kept');
    expect(await restored(unsigned, new MemoryRestorer([]))).toMatchObject({ entries: 0 });
  });

  test('has a position ahead of its events until the last append', async () => {
    const store = await ledgerOf(RECORDS);
    const log = new MemoryRestorer([], { faults: ['ok', 'failed'] });
    await expect(restored(store, log)).rejects.toThrow('failed');
    expect([log.all.length, log.next]).toEqual([1_024, 1_500n]);
    await restored(store, log);
    expect([log.all.length, log.next]).toEqual([1_500, 1_500n]);
  });
});

/** As an auditor that is killed before a checkpoint is kept, or before it is published. */
async function growUntilKilled(
  store: MemoryLedgerStore,
  records: readonly AuditRecord[],
  before: 'kept' | 'published',
): Promise<void> {
  const killed = new Error('killed');
  const kept = keptIn(store);
  await expect(
    grow(
      {
        read: (path) => store.read(path),
        create: (path, bytes) => store.create(path, bytes),
        publish: () => Promise.reject(killed),
      },
      records,
      { kept: before === 'kept' ? { ...kept, publish: () => Promise.reject(killed) } : kept },
    ),
  ).rejects.toBe(killed);
}

describe('a log that lost nothing', () => {
  test('is not appended to', async () => {
    const log = new MemoryRestorer(RECORDS);
    expect(await restored(await ledgerOf(RECORDS), log)).toMatchObject({ missing: 0 });
    expect([log.all.length, log.appends]).toEqual([1_500, 0]);
  });

  test('and is ahead of its ledger keeps what the ledger does not have yet', async () => {
    const log = new MemoryRestorer(RECORDS);
    expect(await restored(await ledgerOf(RECORDS.slice(0, 900)), log)).toMatchObject({
      entries: 900,
      records: 1_500,
      missing: 0,
      next: 1_500n,
    });
    expect(log.appends).toBe(0);
  });

  test('has a committed position that is ahead set back to its end', async () => {
    const log = new MemoryRestorer(RECORDS.slice(0, 900), { next: 1_000n });
    await restored(await ledgerOf(RECORDS.slice(0, 900)), log);
    expect(log.next).toBe(900n);
  });
});

describe('nothing is appended', () => {
  test('to a log that has another record anywhere', async () => {
    const store = await ledgerOf(RECORDS);
    for (const at of [0, 1, 300, 899]) {
      const other = RECORDS.slice(0, 900).map((record, index) =>
        index === at ? { ...record, value: Buffer.from('other') } : record,
      );
      const log = new MemoryRestorer(other);
      await expect(restored(store, log)).rejects.toMatchObject({
        code: 'LOG_DIFFERS',
        remedy: 'stop',
        message: expect.stringContaining(`record ${at} `),
      });
      expect(log.appends).toBe(0);
    }
  });

  test('about records that the intake log does not have yet', async () => {
    const store = await ledgerOf(RECORDS);
    const log = new MemoryRestorer(RECORDS.slice(0, 10), { intakeEnd: 1_499n });
    await expect(restored(store, log)).rejects.toMatchObject({ code: 'INTAKE_SHORTER' });
    expect(log.appends).toBe(0);
    await restored(store, new MemoryRestorer(RECORDS.slice(0, 10), { intakeEnd: 1_500n }));
    // A log that is whole needs no intake records: retention removed them.
    await restored(store, new MemoryRestorer(RECORDS, { intakeEnd: 0n }));
  });

  test('about positions at which the intake log has other records', async () => {
    const store = await ledgerOf(RECORDS.slice(0, 20));
    const record = (nth: number, at: number): LogRecord => ({
      topic: 'threat.samples',
      partition: 0,
      offset: BigInt(nth),
      at,
      key: null,
      headers: [],
      value: Buffer.from('a sample'),
    });
    const at = (nth: number): number => someAuditEvent(nth).at;
    const same = Array.from({ length: 20 }, (_, nth) => record(nth, at(nth)));
    const other = same.map((one, nth) => (nth === 12 ? record(12, at(12) + 1) : one));
    const log = new MemoryRestorer(RECORDS.slice(0, 10), { intake: other });
    await expect(restored(store, log)).rejects.toMatchObject({
      code: 'INTAKE_DIFFERS',
      message: expect.stringContaining('offset 12 '),
    });
    expect(log.appends).toBe(0);
    // Retention left holes; what is there is the same.
    for (const intake of [same, same.slice(15), []])
      await restored(store, new MemoryRestorer(RECORDS.slice(0, 10), { intake }));
    // Before the missing ones nothing is compared: these records have their events.
    await restored(store, new MemoryRestorer(RECORDS.slice(0, 13), { intake: other }));
  });

  test('from a ledger with one altered file, whichever it is', async () => {
    const whole = await ledgerOf(RECORDS.slice(0, 600));
    for (const path of whole.files.keys()) {
      if (!/^0\/(?:tile|checkpoint|next)/.test(path)) continue;
      const store = new MemoryLedgerStore();
      for (const [name, content] of whole.files) store.files.set(name, content);
      const bytes = Buffer.from(store.files.get(path) ?? expect.fail());
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      store.files.set(path, bytes);
      const log = new MemoryRestorer(RECORDS.slice(0, 3));
      const outcome = await restored(store, log).then(
        () => 'restored',
        () => 'refused',
      );
      // A partial file that a full one replaced is not read.
      if (outcome === 'restored') expect(bytesOf(log)).toEqual(leavesOf(RECORDS.slice(0, 600)));
      else expect(log.appends).toBe(0);
      if (['0/checkpoint', '0/tile/0/000', '0/tile/entries/000'].includes(path))
        expect(outcome).toBe('refused');
    }
  });

  test('from a ledger that is older than the checkpoint kept apart', async () => {
    const [store, older] = [await ledgerOf(RECORDS), await ledgerOf(RECORDS.slice(0, 600))];
    const { key } = await signerOf();
    const place = { store: older, of: auditPartition(), origin: key.name };
    await expect(
      LedgerEntries.open({ place, keys: [key], kept: keptIn(store) }),
    ).rejects.toMatchObject({ code: 'LEDGER_ROLLED_BACK' });
  });

  test('from a ledger that another key signed', async () => {
    const store = await ledgerOf(RECORDS.slice(0, 10));
    const { key } = await signerOf(1);
    const place = { store, of: auditPartition(), origin: (await signerOf()).key.name };
    await expect(
      LedgerEntries.open({ place, keys: [{ ...key, name: place.origin }] }),
    ).rejects.toMatchObject({
      code: 'LEDGER_KEY_UNKNOWN',
    });
  });

  test('by a plan', async () => {
    const log = new MemoryRestorer(RECORDS.slice(0, 10));
    const seen: number[] = [];
    expect(
      await planRestore(await entriesOf(await ledgerOf(RECORDS)), log, {
        onProgress: (done) => {
          seen.push(done);
        },
      }),
    ).toMatchObject({ missing: 1_490 });
    expect(log.appends).toBe(0);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});
