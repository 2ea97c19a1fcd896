import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Headers } from '@residency/cloudevents';
import { KafkaLogError } from '../kafka-log-error.ts';

/**
 * The shape of a decoded record in kafkajs's consumer, except that `headers` is the list that was
 * written, not an object.
 */
export interface FetchedMessage {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  /**
   * Control records are never handed over: transaction markers, and placeholders for offsets
   * without a record.
   */
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
}

export interface BatchContext {
  readonly producerId: string;
  readonly inTransaction: boolean;
}

const MAGIC = 2;
const MAGIC_AT = 16;
/** The base offset and the length field, which precede the bytes that the length counts. */
const LOG_OVERHEAD = 12;
const HEADER_BYTES = 61;
// A batch has at most `max.message.bytes` (25 MiB here). Its publisher controls its size after
// decompression.
const MAX_UNFOLDED = 64 * 1024 * 1024;

/** True if `bytes` begin with a batch of the format that all brokers write since Kafka 0.11. */
export function isRecordBatch(bytes: Buffer): boolean {
  return bytes.length > MAGIC_AT && bytes.readInt8(MAGIC_AT) === MAGIC;
}

/**
 * https://kafka.apache.org/documentation/#recordbatch. The last batch may be truncated; the next
 * fetch returns it again.
 */
export function decodeRecordBatches(bytes: Buffer): FetchedMessage[] {
  const messages: FetchedMessage[] = [];
  for (let at = 0; bytes.length - at >= HEADER_BYTES;) {
    const end = at + LOG_OVERHEAD + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    decodeBatch(bytes.subarray(at, end), messages);
    at = end;
  }
  return messages;
}

function decodeBatch(batch: Buffer, messages: FetchedMessage[]): void {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(21);
  const lastOffset = String(baseOffset + batch.readInt32BE(23));
  const baseTimestamp = Number(batch.readBigInt64BE(27));
  const maxTimestamp = Number(batch.readBigInt64BE(35));
  const appendTime = (attributes & 0x08) !== 0;
  const isControlRecord = (attributes & 0x20) !== 0;
  const batchContext: BatchContext = {
    producerId: String(batch.readBigInt64BE(43)),
    inTransaction: (attributes & 0x10) !== 0,
  };
  const count = batch.readInt32BE(57);
  const records = new RecordReader(
    count === 0 ? Buffer.alloc(0) : unfold(batch.subarray(HEADER_BYTES), attributes & 0x07),
  );
  for (let index = 0; index < count; index += 1) {
    const { timestampDelta, offsetDelta, key, value, headers } = records.record();
    const timestamp = String(appendTime ? maxTimestamp : baseTimestamp + timestampDelta);
    messages.push({
      magicByte: MAGIC,
      attributes: 0,
      timestamp,
      offset: String(baseOffset + offsetDelta),
      key,
      value,
      headers,
      isControlRecord,
      batchContext,
    });
  }
  // Compaction removes records from a batch and keeps the batch. Its last offset counts as read;
  // otherwise a reader would fetch the same batch for ever.
  if (count === 0 || messages.at(-1)?.offset !== lastOffset) {
    messages.push({
      magicByte: MAGIC,
      attributes: 0,
      timestamp: String(maxTimestamp),
      offset: lastOffset,
      key: null,
      value: null,
      headers: [],
      isControlRecord: true,
      batchContext,
    });
  }
}

function unfold(bytes: Buffer, compression: number): Buffer {
  switch (compression) {
    case 0:
      return bytes;
    case 1:
      return gunzipSync(bytes, { maxOutputLength: MAX_UNFOLDED });
    case 4:
      return zstdDecompressSync(bytes, { maxOutputLength: MAX_UNFOLDED });
    default:
      throw new KafkaLogError({
        code: 'TOPIC_SETTINGS',
        remedy: 'stop',
        message:
          'Expected records that are not compressed, or with gzip or zstd, found snappy or LZ4. Set compression.type=uncompressed on the topic, as residency topics check says. Records already compressed so cannot be read.',
      });
  }
}

interface DecodedRecord extends Pick<FetchedMessage, 'key' | 'value' | 'headers'> {
  readonly timestampDelta: number;
  readonly offsetDelta: number;
}

class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  record(): DecodedRecord {
    const length = this.#varint();
    const end = this.#at + length;
    this.#at += 1;
    const timestampDelta = this.#varint();
    const offsetDelta = this.#varint();
    const key = this.#nullable();
    const value = this.#nullable();
    const headers = this.#headers();
    // Skip fields of a later format.
    this.#at = end;
    return { timestampDelta, offsetDelta, key, value, headers };
  }

  #headers(): Headers {
    const headers: [string, Buffer][] = [];
    for (let left = this.#varint(); left > 0; left -= 1) {
      const name = this.#nullable() ?? Buffer.alloc(0);
      headers.push([name.toString('utf8'), this.#nullable() ?? Buffer.alloc(0)]);
    }
    return headers;
  }

  #nullable(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('A record reaches beyond its batch.');
    return this.#bytes.subarray(start, this.#at);
  }

  /** Zigzag, up to 64 bits; a number, because deltas stay far below 2^53. */
  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.#at);
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
