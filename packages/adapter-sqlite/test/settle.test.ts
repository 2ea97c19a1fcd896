import { DatabaseSync } from 'node:sqlite';
import { ROUTING_RESUMED, TOPICS, controlEntry } from '@residency/contracts';
import type { Batch, BatchResult } from '@residency/routing';
import { SALT, settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteLog } from '../src/sqlite-log.ts';
import { collect, commitsOf, never, publishSamples, someLog } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

let some: SomeLog;
beforeEach(async () => {
  some = await someLog();
  await publishSamples(some.log, ['a', 'quarantine me', 'c']);
});
afterEach(async () => {
  await some.close();
});

async function consume(route: (batch: Batch) => BatchResult): Promise<unknown> {
  return await some.log
    .submissionLog()
    .consume((batch) => Promise.resolve(route(batch)), { until: 'end', signal: never() });
}

const settleAll = (batch: Batch): BatchResult => ({ settlements: settlementsOf(batch) });

const oversized = (batch: Batch): BatchResult => ({
  settlements: settlementsOf(batch).map((settlement, index) =>
    index === 2 && settlement.event.outcome === 'refused'
      ? {
          ...settlement,
          audit: {
            ...settlement.audit,
            record: { ...settlement.audit.record, value: Buffer.alloc(20_000, ' ') },
          },
        }
      : settlement,
  ),
});

describe('settling', () => {
  it('drops a batch that was decided before an event of the control log, and decides it anew', async () => {
    const retried: string[] = [];
    const handed: number[] = [];
    await some.log.submissionLog({ onRetry: ({ code }) => retried.push(code) }).consume(
      async (batch) => {
        handed.push(batch.records.length);
        if (handed.length === 1)
          await some.log.append([
            controlEntry({ type: ROUTING_RESUMED, data: {} }, 'an order', SALT),
          ]);
        return settleAll(batch);
      },
      { until: 'end', signal: never() },
    );
    expect([handed, retried]).toEqual([[3, 3], ['FENCED']]);
    expect(await collect(some.log.auditRecords())).toHaveLength(3);
  });

  it('drops a batch that another router settled meanwhile, and goes on from the committed position', async () => {
    const other = await openSqliteLog({ file: some.file, now: () => Date.now() });
    const retried: string[] = [];
    const handed: number[] = [];
    const log = other.submissionLog({ onRetry: ({ code }) => retried.push(code) });
    await log.consume(
      async (batch) => {
        handed.push(batch.records.length);
        if (handed.length === 1) await consume(settleAll);
        return settleAll(batch);
      },
      { until: 'end', signal: never() },
    );
    await other.close();
    expect([handed, retried]).toEqual([[3], ['FENCED']]);
    expect(await collect(some.log.auditRecords())).toHaveLength(3);
    expect(await collect(some.log.quarantine())).toHaveLength(1);
  });

  const defects: [string, (batch: Batch) => BatchResult][] = [
    ['a record left out', (batch) => ({ settlements: settlementsOf(batch).slice(1) })],
    [
      'the last record left out without a block',
      (batch) => ({ settlements: settlementsOf(batch, 2) }),
    ],
    [
      'a settlement twice',
      (batch) => ({ settlements: [...settlementsOf(batch), ...settlementsOf(batch)] }),
    ],
    ['settlements out of order', (batch) => ({ settlements: settlementsOf(batch).toReversed() })],
    [
      'a quarantine without its pointer',
      (batch) => ({
        settlements: settlementsOf(batch).map(({ event, audit }) => ({ event, audit })),
      }),
    ],
    [
      "another log's position",
      (batch) => ({ settlements: settlementsOf({ ...batch, log: 'other' }) }),
    ],
  ];
  it.each(defects)('settles nothing of a result with %s', async (_, route) => {
    await expect(consume(route)).rejects.toMatchObject({
      code: 'SETTLEMENT_INVALID',
      remedy: 'stop',
    });
    expect([await some.log.committed(), await collect(some.log.auditRecords())]).toEqual([
      null,
      [],
    ]);
  });

  it("checks each event's size before anything is written", async () => {
    await expect(consume(oversized)).rejects.toMatchObject({ code: 'SETTLEMENT_INVALID' });
    expect([
      await some.log.committed(),
      await collect(some.log.auditRecords()),
      await collect(some.log.quarantine()),
    ]).toEqual([null, [], []]);
  });

  it('stops where unsettled records are gone from the log', async () => {
    const db = new DatabaseSync(some.file);
    db.exec('DELETE FROM record WHERE "offset" = 0');
    db.close();
    await expect(consume(settleAll)).rejects.toMatchObject({
      code: 'PROGRESS_LOST',
      remedy: 'stop',
    });
    expect(await some.log.committed()).toBeNull();
  });

  it('waits while the log is busy and settles once it is free', async () => {
    const log = await openSqliteLog({ file: some.file, now: () => Date.now(), busyTimeoutMs: 20 });
    const holder = new DatabaseSync(some.file);
    const codes: string[] = [];
    const stop = new AbortController();
    await log
      .submissionLog({
        backOff: { firstMs: 5, mostMs: 20 },
        onRetry: ({ code }) => {
          if (codes.push(code) === 2) holder.exec('COMMIT');
        },
      })
      .consume(
        (batch) => {
          if (codes.length === 0 && !holder.isTransaction) holder.exec('BEGIN IMMEDIATE');
          if (codes.length === 2) stop.abort();
          return Promise.resolve(settleAll(batch));
        },
        { until: 'aborted', signal: stop.signal },
      );
    holder.close();
    await log.close();
    expect(codes).toEqual(['LOG_BUSY', 'LOG_BUSY']);
    expect(await collect(some.log.auditRecords())).toHaveLength(3);
  });

  it('writes five hundred events in one transaction', async () => {
    await consume(settleAll);
    await publishSamples(
      some.log,
      Array.from({ length: 500 }, (_, index) => `${index}`),
    );
    expect(await commitsOf(some.file, async () => await consume(settleAll))).toBe(1);
    expect(await some.log.end(TOPICS.audit)).toBe(503n);
  });

  it("wakes at once for this process's own appends, and for an abort, however rarely it looks for others", async () => {
    await consume(settleAll);
    const stop = new AbortController();
    const idle = some.log
      .submissionLog({ pollMs: 60_000 })
      .consume((batch) => Promise.resolve(settleAll(batch)), {
        until: 'aborted',
        signal: stop.signal,
      });
    await publishSamples(some.log, ['woken']);
    while ((await some.log.committed()) !== 3n)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    stop.abort();
    await expect(idle).resolves.toBeUndefined();
  });
});
