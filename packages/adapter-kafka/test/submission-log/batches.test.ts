import type { LogRecord } from '@residency/contracts';
import { TOPICS } from '@residency/contracts';
import type { Batch } from '@residency/routing';
import { QUARANTINE_ME, settlementsOf } from '@residency/testkit';
import { describe, expect, it } from 'vitest';
import { packSettlement } from '../../src/submission-log/pack-settlement.ts';
import { PendingRecords } from '../../src/submission-log/pending-records.ts';
import { submissionLogOptions } from '../../src/submission-log/options.ts';
import { recordBytes } from '../../src/to-log-record.ts';

function records(sizes: readonly number[], from = 0): LogRecord[] {
  return sizes.map((size, index) => ({
    topic: TOPICS.samples,
    partition: 0,
    offset: BigInt(from + index),
    at: 0,
    key: null,
    headers: [],
    value: Buffer.alloc(size),
  }));
}

const offsets = (batch: readonly LogRecord[]): number[] =>
  batch.map(({ offset }) => Number(offset));

describe('records that wait', () => {
  it('come in batches of at most so many records and bytes, a larger one alone', () => {
    const pending = new PendingRecords({ maxBatchRecords: 3, maxBatchBytes: 1_000 });
    pending.add(records([10, 10, 10, 10, 2_000, 500, 600, 10]));
    const batches = [];
    while (!pending.empty) batches.push(offsets(pending.take()));
    expect(batches).toEqual([[0, 1, 2], [3], [4], [5], [6, 7]]);
    expect(pending.take()).toEqual([]);
  });

  it('are full from one batch on, and not before', () => {
    const pending = new PendingRecords({ maxBatchRecords: 3, maxBatchBytes: 1_000 });
    pending.add(records([10, 10]));
    expect(pending.full).toBe(false);
    pending.add(records([10], 2));
    expect(pending.full).toBe(true);
    pending.take();
    expect(pending.full).toBe(false);
    pending.add(records([2_000], 3));
    expect(pending.full).toBe(true);
  });

  it('come again first where they were given back', () => {
    const pending = new PendingRecords({ maxBatchRecords: 3, maxBatchBytes: 1_000 });
    pending.add(records([10, 10, 10, 10]));
    pending.putBack(pending.take().slice(1));
    expect(offsets(pending.take())).toEqual([1, 2, 3]);
  });
});

describe('what a batch appends', () => {
  const batch = (values: readonly Buffer[]): Batch => ({
    log: 'log-1',
    topic: TOPICS.samples,
    partition: 0,
    previous: null,
    signal: new AbortController().signal,
    records: values.map((value, index) => ({
      topic: TOPICS.samples,
      partition: 0,
      offset: BigInt(index),
      at: 0,
      key: null,
      headers: [],
      value,
    })),
  });

  it('is sent in order, 512 KiB at a time at most', () => {
    const sends = packSettlement(
      settlementsOf(
        batch(Array.from({ length: 3_000 }, (_, index) => Buffer.from(`sample ${index}`))),
      ),
    );
    expect(sends.length).toBeGreaterThan(2);
    for (const send of sends) {
      expect(send.topic).toBe(TOPICS.audit);
      expect(
        send.records.reduce((sum, record) => sum + recordBytes(record), 0),
      ).toBeLessThanOrEqual(512 * 1024);
    }
    const sequences = sends.flatMap((send) =>
      send.records.map(({ value }) =>
        Number((JSON.parse(String(value)) as { sequence: string }).sequence),
      ),
    );
    expect(sequences).toEqual(Array.from({ length: 3_000 }, (_, index) => index));
  });

  it('is a pointer for what is quarantined besides its event, in a send of its own topic', () => {
    const sends = packSettlement(settlementsOf(batch([Buffer.from('good'), QUARANTINE_ME])));
    expect(sends.map(({ topic, records: { length } }) => [topic, length])).toEqual([
      [TOPICS.audit, 2],
      [TOPICS.quarantine, 1],
    ]);
  });

  it('is nothing where nothing is settled', () => {
    expect(packSettlement([])).toEqual([]);
  });
});

describe('the options', () => {
  it.each([
    { transactionTimeoutMs: 30_000 },
    { heartbeatIntervalMs: 15_000 },
    { stallMs: 30_000 },
    { maxBatchRecords: 0 },
  ])('are refused where they do not fit together: %o', (given) => {
    expect(() => submissionLogOptions(given)).toThrow(RangeError);
  });

  it('are the defaults where nothing is said', () => {
    expect(submissionLogOptions({}).sessionTimeoutMs).toBe(30_000);
  });
});
