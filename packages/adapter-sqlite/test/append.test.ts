import { DatabaseSync } from 'node:sqlite';
import { TOPICS } from '@residency/contracts';
import type { LogEntry, NewRecord } from '@residency/contracts';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteLog } from '../src/sqlite-log.ts';
import { decodeHeaders, encodeHeaders } from '../src/wire.ts';
import { appendOne, collect, commitsOf, publishSamples, someLog, text } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

const open: SomeLog[] = [];
async function fresh(...options: Parameters<typeof someLog>): Promise<SomeLog> {
  const some = await someLog(...options);
  open.push(some);
  return some;
}
afterEach(async () => {
  for (const some of open.splice(0)) await some.close();
});

const sample = (name: string): LogEntry => ({ topic: TOPICS.samples, record: text(name) });

const values = (records: readonly { value: Buffer | null }[]): (string | undefined)[] =>
  records.map(({ value }) => value?.toString());

describe('append', () => {
  it("gives positions that begin with the log's random name, and keeps the name", async () => {
    const { log, file } = await fresh();
    expect(log.name).toMatch(/^[0-9a-f]{16}$/);
    const positions = await log.append([
      { topic: TOPICS.samples, record: text('a') },
      { topic: TOPICS.subjects, record: text('b') },
      { topic: TOPICS.samples, record: text('c') },
    ]);
    expect(positions.map(({ topic, offset }) => [topic, offset])).toEqual([
      [TOPICS.samples, 0n],
      [TOPICS.subjects, 0n],
      [TOPICS.samples, 1n],
    ]);
    const again = await openSqliteLog({ file, now: () => 0 });
    expect(again.name).toBe(log.name);
    expect(
      (
        await again.readAt(positions[2] ?? { log: '', topic: '', partition: 0, offset: 0n })
      )?.value?.toString(),
    ).toBe('c');
    await again.close();
    expect((await fresh()).log.name).not.toBe(log.name);
  });

  it("does not take the caller's buffers, nor copy what they are slices of", async () => {
    const { log } = await fresh();
    const pool = Buffer.from('before|record|after');
    const value = pool.subarray(7, 13);
    await log.append([{ topic: TOPICS.samples, record: { key: value, headers: [], value } }]);
    expect(pool.toString()).toBe('before|record|after');
    const [record] = await collect(log.read(TOPICS.samples));
    expect([
      record?.key?.toString(),
      record?.value?.toString(),
      record?.value?.buffer.byteLength,
    ]).toEqual(['record', 'record', 6]);
  });

  it('carries a record of 16 MiB', async () => {
    const { log } = await fresh();
    const value = Buffer.alloc(16 * 1024 * 1024, 'x');
    await appendOne(log, TOPICS.samples, { key: null, headers: [], value });
    const [record] = await collect(log.read(TOPICS.samples));
    expect(record?.value && Buffer.compare(record.value, value)).toBe(0);
  });

  it('takes thousands of concurrent publishers in their order, many to a transaction', async () => {
    const { log, file } = await fresh();
    let positions: Awaited<ReturnType<typeof log.append>>[] = [];
    const commits = await commitsOf(file, async () => {
      positions = await Promise.all(
        Array.from(
          { length: 5_000 },
          async (_, index) =>
            await log.append([{ topic: TOPICS.samples, record: text(`${index}`) }]),
        ),
      );
    });
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThan(10);
    expect(positions.map(([position]) => position?.offset)).toEqual(
      positions.map((_, index) => BigInt(index)),
    );
    expect(values(await collect(log.read(TOPICS.samples)))).toEqual(
      positions.map((_, index) => String(index)),
    );
  });

  it('when the disk is full fails the append that does not fit, whole, and no other one', async () => {
    const { log } = await fresh({ maxPages: 100 });
    const large = {
      topic: TOPICS.samples,
      record: { key: null, headers: [], value: Buffer.alloc(4_096 * 200) },
    };
    const results = await Promise.allSettled([
      log.append([sample('one')]),
      log.append([sample('with large'), large]),
      log.append([sample('two')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'LOG_FULL', remedy: 'retry' } });
    expect(values(await collect(log.read(TOPICS.samples)))).toEqual(['one', 'two']);
  });

  it('reports to a publisher that the log is busy if another process keeps it locked', async () => {
    const { log, file } = await fresh({ busyTimeoutMs: 50 });
    const holder = new DatabaseSync(file);
    holder.exec('BEGIN IMMEDIATE');
    await expect(log.append([{ topic: TOPICS.samples, record: text('x') }])).rejects.toMatchObject({
      code: 'LOG_BUSY',
      remedy: 'retry',
    });
    holder.close();
    await expect(log.append([{ topic: TOPICS.samples, record: text('x') }])).resolves.toHaveLength(
      1,
    );
  });

  it('finishes what is on its way when it is closed, and takes nothing afterwards', async () => {
    const { log } = await fresh();
    const appending = log.append([{ topic: TOPICS.samples, record: text('last') }]);
    await log.close();
    await expect(appending).resolves.toHaveLength(1);
    await expect(
      log.append([{ topic: TOPICS.samples, record: text('late') }]),
    ).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    await expect(log.end(TOPICS.samples)).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  });
});

describe('read', () => {
  it('pages through a topic from where it is told', async () => {
    const { log } = await fresh();
    await publishSamples(
      log,
      Array.from({ length: 25 }, (_, index) => `${index}`),
    );
    expect(await log.end(TOPICS.samples)).toBe(25n);
    for (const limits of [{ maxRecords: 4 }, { maxBytes: 1 }, {}]) {
      expect(values(await collect(log.read(TOPICS.samples, { from: 7n, ...limits })))).toEqual(
        Array.from({ length: 18 }, (_, index) => `${index + 7}`),
      );
    }
  });

  it('finds nothing at a position of another log, another partition, or one never reached', async () => {
    const { log } = await fresh();
    await publishSamples(log, ['only']);
    const position = { log: log.name, topic: TOPICS.samples, partition: 0, offset: 0n };
    expect(await log.readAt(position)).toBeDefined();
    for (const other of [
      { log: 'other' },
      { topic: 'none' },
      { partition: 1 },
      { offset: 1n },
      { offset: 9_223_372_036_854_775_807n },
    ]) {
      expect(await log.readAt({ ...position, ...other })).toBeUndefined();
    }
  });

  it('gives back headers of any name and bytes', () => {
    const headers = fc.array(
      fc.tuple(
        fc.string({ unit: 'binary' }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
    );
    fc.assert(
      fc.property(headers, (pairs: NewRecord['headers']) => {
        expect(decodeHeaders(encodeHeaders(pairs))).toEqual(pairs);
      }),
    );
  });
});
