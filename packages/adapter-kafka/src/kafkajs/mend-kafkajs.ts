import { createRequire } from 'node:module';
import type { Headers } from '@residency/cloudevents';
import type kafkajs from 'kafkajs';
import { decodeRecordBatches, isRecordBatch } from './record-batch.ts';
import { withholdAborted } from './withhold-aborted.ts';
import type { AbortedTransaction } from './withhold-aborted.ts';
import type { FetchedMessage } from './record-batch.ts';

// kafkajs 2.2.4 has had no maintainer since 2023. Six of its functions are replaced in memory, each
// for a defect that breaks a promise of ours. It has no public hook for any of them; its version is
// pinned, and a test fails if a file moves.
//
// 1. `fetch/v4/decodeMessages` (decodes every fetched batch) makes an object of headers: order
// between names and names such as `constructor`
//    are lost, n headers cost n squared, and a batch of some 100,000 tiny records overflows the
// stack (`push(...records)`), which stops the
//    consumer for good: one publisher could stop the log. A batch that compaction emptied is passed
// over without moving on, so that the
//    consumer asks for it for ever.
// 2. `filterAbortedMessages` takes up one aborted transaction a record and trusts in their order,
// so that with several at once records of
//    an aborted one get through; and it takes any record whose key is four zero bytes for the end
// of one.
// 3. `recordBatch/record/v0` (encodes a record) takes headers from an object: no name twice with
// another between.
// 4. `RequestQueue.scheduleCheckPendingRequests` sets a timer after every response, with a negative
// delay (`-1 - now`) where nothing waits:
//    a `TimeoutNegativeWarning` on newer Node versions, and a timer a request for nothing.
// 5. `Connection.connect` opens a socket for each of several calls at once and keeps only the last:
// the others are never closed, and the
//    process never ends.
// 6. `Connection.send` goes on using a connection on which an answer did not come in time. A broker
// that is frozen, not dead, keeps its
//    connections: it is asked for metadata again and again before any other, and one that did not
// even tell its versions counts as connected.
const require = createRequire(import.meta.url);
const MENDED = Symbol.for('@residency/adapter-kafka:mended');
const CONNECTING = Symbol('connecting');

type DecodeMessages = (decoder: Decoder) => Promise<unknown[]>;
type FilterAborted = (fetched: {
  readonly messages: readonly FetchedMessage[];
  readonly abortedTransactions?: readonly AbortedTransaction[] | null;
}) => FetchedMessage[];
type EncodeRecord = (record: RecordToEncode) => Encoder;

interface Decoder {
  buffer: Buffer;
  offset: number;
  readInt32(): number;
  canReadBytes(count: number): boolean;
  readBytes(count: number): Buffer;
}

interface Encoder {
  writeVarInt(value: number): Encoder;
  writeInt8(value: number): Encoder;
  writeVarLong(value: unknown): Encoder;
  writeVarIntBytes(value: Buffer | null): Encoder;
  writeBuffer(value: Buffer): Encoder;
  size(): number;
  readonly buffer: Buffer;
}

interface RecordToEncode {
  readonly offsetDelta?: number;
  readonly timestampDelta?: unknown;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: unknown;
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

function decodeMessages(original: DecodeMessages): DecodeMessages {
  return async (decoder) => {
    const start = decoder.offset;
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return [];
    const bytes = decoder.readBytes(size);
    if (isRecordBatch(bytes)) return decodeRecordBatches(bytes);
    decoder.offset = start;
    return await original(decoder);
  };
}

function filterAborted(): FilterAborted {
  return ({ messages, abortedTransactions }) => withholdAborted(messages, abortedTransactions);
}

function encodeRecord(original: EncodeRecord): EncodeRecord {
  const Encoder: new () => Encoder = require('kafkajs/src/protocol/encoder');
  return (record) => {
    const { offsetDelta = 0, timestampDelta = 0, key, value, headers } = record;
    if (!Array.isArray(headers)) return original(record);
    const body = new Encoder()
      .writeInt8(0)
      .writeVarLong(timestampDelta)
      .writeVarInt(offsetDelta)
      .writeVarIntBytes(key)
      .writeVarIntBytes(value)
      .writeVarInt(headers.length);
    for (const [name, content] of headers as Headers)
      body.writeVarIntBytes(Buffer.from(name)).writeVarIntBytes(content);
    return new Encoder().writeVarInt(body.size()).writeBuffer(body.buffer);
  };
}

function mendRequestQueue(): void {
  const {
    prototype,
  }: {
    readonly prototype: RequestQueue & { [MENDED]?: true };
  } = require('kafkajs/src/network/requestQueue');
  if (prototype[MENDED]) return;
  const original = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
    if (this.pending.length > 0) original.call(this);
  };
  prototype[MENDED] = true;
}

interface Connection {
  connect: (this: Connection) => Promise<unknown>;
  send: (this: Connection, request: unknown) => Promise<unknown>;
  disconnect(): Promise<unknown>;
  rejectRequests(error: Error): void;
  isConnected(): boolean;
  readonly broker: string;
  /** Chunks of the response that is being received. */
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  readonly socket?: { destroy(): void };
  [CONNECTING]?: Promise<unknown>;
}

/** The length prefix of each response. */
const INT32_BYTES = 4;

function mendConnection(): void {
  const {
    prototype,
  }: {
    readonly prototype: Connection & { [MENDED]?: true };
  } = require('kafkajs/src/network/connection');
  if (prototype[MENDED]) return;
  const { connect: originalConnect, send: originalSend } = prototype;
  prototype.connect = function connect() {
    // A partial response of the last connection is not part of the first response on this one.
    if (this[CONNECTING] === undefined && !this.isConnected())
      Object.assign(this, { chunks: [], bytesBuffered: 0, bytesNeeded: INT32_BYTES });
    this[CONNECTING] ??= originalConnect.call(this).finally(() => {
      delete this[CONNECTING];
    });
    return this[CONNECTING];
  };
  prototype.send = async function send(request) {
    try {
      return await originalSend.call(this, request);
    } catch (error) {
      throw error instanceof Error && error.name === 'KafkaJSRequestTimeoutError'
        ? giveUp(this, error)
        : error;
    }
  };
  prototype[MENDED] = true;
}

/**
 * As the Java client does. All other requests on the connection would wait in vain, so they fail
 * too, and the next request opens a new connection. The error is that of a lost connection, because
 * kafkajs then asks another broker and requests the leaders again.
 */
function giveUp(connection: Connection, { message }: Error): Error {
  const { KafkaJSConnectionError }: typeof kafkajs = require('kafkajs/src/errors');
  const lost = new KafkaJSConnectionError(message, { broker: connection.broker });
  connection.rejectRequests(lost);
  connection.socket?.destroy();
  void connection.disconnect();
  return lost;
}

/**
 * Replaces an export of a file of kafkajs. If its `user` was loaded before, it would keep the old
 * one.
 */
function replace<F extends object>(path: string, user: string, mend: (original: F) => F): void {
  const original: F = require(`kafkajs/src/${path}`);
  if (MENDED in original) return;
  const entry = require.cache[require.resolve(`kafkajs/src/${path}`)];
  if (entry === undefined || require.cache[require.resolve(`kafkajs/src/${user}`)] !== undefined) {
    throw new Error(
      'Expected to be the first to load kafkajs 2.2.4, found it loaded before, or another. Import this package first.',
    );
  }
  entry.exports = Object.assign(mend(original), { [MENDED]: true });
}

/** Returns kafkajs with the replaced functions. This package loads it in no other way. */
export function loadKafkajs(): typeof kafkajs {
  replace<EncodeRecord>(
    'protocol/recordBatch/record/v0',
    'protocol/requests/produce/v3/request',
    encodeRecord,
  );
  replace<DecodeMessages>(
    'protocol/requests/fetch/v4/decodeMessages',
    'protocol/requests/fetch/v4/response',
    decodeMessages,
  );
  replace<FilterAborted>('consumer/filterAbortedMessages', 'consumer/batch', filterAborted);
  mendRequestQueue();
  mendConnection();
  return require('kafkajs');
}
