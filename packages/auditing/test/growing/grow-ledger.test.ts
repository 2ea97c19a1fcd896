import {
  auditPartition,
  MemoryLedgerSource,
  MemoryLedgerStore,
  someAuditRecords,
} from '@residency/testkit';
import { describe, expect, test } from 'vitest';
import { LeafWatch, RecentRegions, growLedger } from '../../src/index.ts';
import type { LedgerProgress, LedgerStore } from '../../src/index.ts';
import { entriesUnder, grow, leavesOf, published, signerOf } from './some-ledger.ts';

const RECORDS = someAuditRecords(1_500);

describe('a ledger', () => {
  test('has every record of the log as a leaf, in order, under a checkpoint of its own origin', async () => {
    const store = new MemoryLedgerStore();
    expect((await grow(store, RECORDS)).anomalies).toEqual([]);
    const checkpoint = await published(store);
    expect(checkpoint).toMatchObject({ origin: 'residency-router/log-1/0', size: 1_500 });
    expect(await entriesUnder(store, checkpoint ?? expect.fail())).toEqual(leavesOf(RECORDS));
  });

  test('is not begun before there is a record', async () => {
    const store = new MemoryLedgerStore();
    await grow(store, []);
    expect(store.files.size).toBe(0);
  });

  test('of a record that can be no event has a leaf all the same', async () => {
    const store = new MemoryLedgerStore();
    const records = [
      { partition: 0, offset: 0n, value: null },
      { partition: 0, offset: 1n, value: Buffer.alloc(65_536, 1) },
      { partition: 0, offset: 2n, value: Buffer.alloc(65_535, 1) },
    ];
    await grow(store, records);
    const [none, long, longest] = await entriesUnder(
      store,
      (await published(store)) ?? expect.fail(),
    );
    expect([none?.length, JSON.parse(String(long)), longest?.length]).toEqual([
      0,
      { bytes: 65_536, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      65_535,
    ]);
    // It goes on behind leaves without a time.
    await grow(store, [...records, { partition: 0, offset: 3n, value: Buffer.from('x') }]);
    expect((await published(store))?.size).toBe(4);
  });

  test('of two partitions in one store are two', async () => {
    const store = new MemoryLedgerStore();
    const other = someAuditRecords(40, 1);
    await Promise.all([grow(store, RECORDS), grow(store, other, { partition: 1 })]);
    expect([(await published(store, 0))?.size, (await published(store, 1))?.origin]).toEqual([
      1_500,
      'residency-router/log-1/1',
    ]);
    expect(await entriesUnder(store, (await published(store, 1)) ?? expect.fail(), 1)).toEqual(
      leavesOf(other),
    );
  });

  test('goes on behind its last leaf, and reads no more of the log than it must', async () => {
    const store = new MemoryLedgerStore();
    const far = someAuditRecords(1_000).map((record, nth) => ({
      ...record,
      value: Buffer.from(
        (record.value ?? expect.fail())
          .toString()
          .replace(
            /"time":"[^"]+"/,
            `"time":"${new Date(Date.UTC(2026, 0, 1) + nth * 10_000).toISOString()}"`,
          ),
      ),
    }));
    await grow(store, far.slice(0, 900));
    const asked: number[] = [];
    const source = new MemoryLedgerSource(far);
    const spied = {
      log: source.log,
      of: auditPartition(),
      follow: (start: { leaf: number; since: number }, signal: AbortSignal) => {
        asked.push(start.leaf, start.since);
        return source.follow({ ...start, since: Date.UTC(2026, 0, 1) + start.leaf - 6 }, signal);
      },
    };
    await grow(store, [], { source: spied });
    // 900 = 3 bundles and 132 leaves: the tail begins at leaf 512, six records of ten seconds
    // before it within the minute.
    expect(asked).toEqual([512, Date.UTC(2026, 0, 1) + 512 * 10_000 - 60_000]);
    expect((await published(store))?.size).toBe(1_000);
    expect(source.given).toBe(494);
  });

  test('goes on behind the right one of two records with the same bytes', async () => {
    const [one, two, three] = RECORDS.slice(0, 3) as [
      (typeof RECORDS)[0],
      (typeof RECORDS)[0],
      (typeof RECORDS)[0],
    ];
    const log = [one, two, three, one, two, three, one, two, two, two, three].map(
      (record, nth) => ({ ...record, offset: BigInt(nth) }),
    );
    for (let stop = 1; stop < log.length; stop += 1) {
      const store = new MemoryLedgerStore();
      await grow(store, log.slice(0, stop));
      await grow(store, log);
      expect(await entriesUnder(store, (await published(store)) ?? expect.fail())).toEqual(
        leavesOf(log),
      );
    }
  });

  test('is found although the times of its leaves lead past them', async () => {
    const store = new MemoryLedgerStore();
    const lying = RECORDS.slice(0, 20).map((record) => ({
      ...record,
      value: Buffer.from(
        (record.value ?? expect.fail()).toString().replace('"time":"2026', '"time":"2999'),
      ),
    }));
    await grow(store, lying.slice(0, 10));
    await grow(store, lying);
    expect((await published(store))?.size).toBe(20);
  });

  test('does not go on over a log that does not have its leaves', async () => {
    const store = new MemoryLedgerStore();
    await grow(store, RECORDS.slice(0, 300));
    const before = new Map(store.files);
    for (const other of [
      [],
      RECORDS.slice(0, 299),
      someAuditRecords(400, 1),
      [...RECORDS.slice(0, 100), ...RECORDS.slice(101, 400)],
    ]) {
      await expect(grow(store, other)).rejects.toMatchObject({
        code: 'LEDGER_AHEAD_OF_LOG',
        remedy: 'stop',
      });
    }
    expect(store.files).toEqual(before);
  });
});

describe('while it follows the log', () => {
  test('a checkpoint comes at once, then at most every interval, and says when it has everything', async () => {
    const store = new MemoryLedgerStore();
    const source = new MemoryLedgerSource(RECORDS.slice(0, 10));
    const stop = new AbortController();
    const seen: LedgerProgress[] = [];
    let now = 0;
    const watch = new LeafWatch({
      log: source.log,
      of: auditPartition(),
      regions: new RecentRegions(10),
      onAnomaly: () => expect.fail(),
    });
    const running = growLedger({
      source,
      store,
      signer: await signerOf(),
      kept: new MemoryLedgerStore(),
      watch,
      intervalMs: 1_000,
      now: () => now,
      until: 'aborted',
      signal: stop.signal,
      progress: (progress) => {
        seen.push(progress);
      },
    });
    const last = () => seen.at(-1);
    await expect.poll(last).toEqual({ published: 10, size: 10, current: true });
    source.records.push(...RECORDS.slice(10, 25));
    await expect.poll(last).toEqual({ published: 10, size: 25, current: false });
    now = 999;
    const turns = seen.length;
    await expect.poll(() => seen.length).toBeGreaterThan(turns + 3);
    expect(last()).toEqual({ published: 10, size: 25, current: false });
    now = 1_000;
    await expect.poll(last).toEqual({ published: 25, size: 25, current: true });
    stop.abort();
    await running;
    expect((await published(store))?.size).toBe(25);
    expect([...store.files.keys()].filter((path) => path.includes('next'))).toEqual([
      '0/next/000',
      '0/next/010',
    ]);
  });

  test("a source that fails ends it with the source's own error", async () => {
    const failing = {
      log: 'log-1',
      of: auditPartition(),
      async *follow() {
        yield RECORDS.slice(0, 5).map((record) => ({ at: 0, key: null, headers: [], ...record }));
        throw Object.assign(new Error('away'), { code: 'KAFKA_UNREACHABLE', remedy: 'retry' });
      },
    };
    const store: LedgerStore = new MemoryLedgerStore();
    await expect(grow(store, [], { source: failing })).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
    });
    expect((await published(store))?.size).toBe(5);
  });
});
