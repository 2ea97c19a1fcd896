import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Headers } from '@residency/cloudevents';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { loadKafkajs } from '../src/kafkajs/mend-kafkajs.ts';
import { decodeRecordBatches, isRecordBatch } from '../src/kafkajs/record-batch.ts';

// What encodes here is what this package's producers use: kafkajs's batch around our record.
loadKafkajs();
const require = createRequire(import.meta.url);
type EncodeBatch = (batch: object) => Promise<{ readonly buffer: Buffer }>;
type EncodeRecord = (record: object) => unknown;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: EncodeBatch;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as EncodeRecord;

interface Some {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const COUNT = 57;
const RECORDS = 61;

async function batch(records: readonly Some[], baseOffset = 0n): Promise<Buffer> {
  const encoded = records.map((record, offsetDelta) =>
    encodeRecord({ ...record, offsetDelta, timestampDelta: offsetDelta }),
  );
  const { buffer } = await RecordBatch({
    records: encoded,
    firstTimestamp: 1_000,
    maxTimestamp: 2_000,
    producerId: 7,
    producerEpoch: 0,
    firstSequence: 0,
    lastOffsetDelta: records.length - 1,
  });
  const bytes = Buffer.from(buffer);
  bytes.writeBigInt64BE(baseOffset, 0);
  return bytes;
}

function compressed(bytes: Buffer, codec: number, compress: (records: Buffer) => Buffer): Buffer {
  const result = Buffer.concat([bytes.subarray(0, RECORDS), compress(bytes.subarray(RECORDS))]);
  result.writeInt32BE(result.length - 12, 8);
  result.writeInt16BE(bytes.readInt16BE(ATTRIBUTES) | codec, ATTRIBUTES);
  return result;
}

const one: Some = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [] };
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom('a', 'b', '1', 'constructor', '__proto__', 'toString'),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
      ),
      bytes,
    ),
    { maxLength: 8 },
  ),
});

describe('a record batch', () => {
  it('reads back as it was written: keys, values, headers in their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.nat(2 ** 30),
        async (records, base) => {
          const decoded = decodeRecordBatches(await batch(records, BigInt(base)));
          expect(decoded.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(
            records,
          );
          expect(decoded.map(({ offset, timestamp }) => [offset, timestamp])).toEqual(
            records.map((_, index) => [`${base + index}`, `${1_000 + index}`]),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives every record the time of its append where the topic says so', async () => {
    const appended = await batch([one, one]);
    appended.writeInt16BE(0x08, ATTRIBUTES);
    expect(decodeRecordBatches(appended).map(({ timestamp }) => timestamp)).toEqual([
      '2000',
      '2000',
    ]);
  });

  it('follows another, and waits for the next fetch where it is cut off', async () => {
    const [first, second] = [await batch([one], 5n), await batch([one, one], 6n)];
    for (let length = 0; length < second.length; length += 1) {
      expect(
        decodeRecordBatches(Buffer.concat([first, second.subarray(0, length)])).map(
          ({ offset }) => offset,
        ),
      ).toEqual(['5']);
    }
    expect(decodeRecordBatches(Buffer.concat([first, second])).map(({ offset }) => offset)).toEqual(
      ['5', '6', '7'],
    );
  });

  it('that compaction emptied stands as one message nobody sees, at its last offset', async () => {
    const full = await batch([one, one, one], 10n);
    const empty = Buffer.from(full.subarray(0, RECORDS));
    empty.writeInt32BE(RECORDS - 12, 8);
    empty.writeInt32BE(0, COUNT);
    expect(decodeRecordBatches(empty)).toMatchObject([
      { offset: '12', isControlRecord: true, key: null },
    ]);
    const shortened = await batch([one], 10n);
    shortened.writeInt32BE(2, LAST_OFFSET_DELTA);
    expect(
      decodeRecordBatches(shortened).map(({ offset, isControlRecord }) => [
        offset,
        isControlRecord,
      ]),
    ).toEqual([
      ['10', false],
      ['12', true],
    ]);
  });

  it('is unfolded from gzip and zstd, refused beyond its bounds, and refused by name from others', async () => {
    const plain = await batch([one, one]);
    for (const unfolded of [compressed(plain, 1, gzipSync), compressed(plain, 4, zstdCompressSync)])
      expect(decodeRecordBatches(unfolded)).toHaveLength(2);
    const bomb = compressed(plain, 1, () => gzipSync(Buffer.alloc(65 * 1024 * 1024)));
    expect(() => decodeRecordBatches(bomb)).toThrow(RangeError);
    for (const codec of [2, 3])
      expect(() => decodeRecordBatches(compressed(plain, codec, (same) => same))).toThrow(
        expect.objectContaining({ code: 'TOPIC_SETTINGS', remedy: 'stop' }),
      );
  });

  it('of very many records, or of a record of very many headers, reads each byte once', async () => {
    const many = await batch(
      Array.from({ length: 20_000 }, () => ({ key: null, value: null, headers: [] })),
    );
    const wide = await batch([
      {
        key: null,
        value: null,
        headers: Array.from(
          { length: 10_000 },
          (_, index) => [`${index}`, Buffer.alloc(0)] as const,
        ),
      },
    ]);
    const read = vi.spyOn(Buffer.prototype, 'readUInt8');
    try {
      expect(decodeRecordBatches(many)).toHaveLength(20_000);
      expect(decodeRecordBatches(wide)[0]?.headers).toHaveLength(10_000);
      expect(read.mock.calls.length).toBeGreaterThan(20_000);
      expect(read.mock.calls.length).toBeLessThanOrEqual(many.length + wide.length);
    } finally {
      read.mockRestore();
    }
  });

  it('whose record reaches beyond it is an error, not a record', async () => {
    const broken = await batch([one]);
    broken[RECORDS + 6] = 0x7e;
    expect(() => decodeRecordBatches(broken)).toThrow(RangeError);
  });

  it('of an older format is told apart', () => {
    const old = Buffer.alloc(40);
    old[16] = 1;
    expect(isRecordBatch(old)).toBe(false);
  });
});
