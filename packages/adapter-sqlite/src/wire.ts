import type { LogEntry, LogRecord, NewRecord, Topic } from '@residency/contracts';

/** Records as they are sent between threads and stored in rows. Offsets stay far below 2^53. */
export interface WireEntry {
  readonly topic: Topic;
  readonly submission: string | null;
  readonly headers: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}
export interface WireRecord {
  readonly offset: number;
  readonly at: number;
  readonly headers: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** The size of an entry in a group commit, bytes. */
export function entryBytes({ record: { key, value, headers } }: LogEntry): number {
  return headers.reduce(
    (sum, [name, content]) => sum + name.length + content.length,
    (key?.length ?? 0) + (value?.length ?? 0),
  );
}

/**
 * Copies keys and values once, into one buffer that is then transferred to the worker. To clone a
 * `Buffer` would clone the whole pool of which it is a slice, and to transfer it would take the
 * pool from the caller.
 */
export function packEntries(entries: readonly LogEntry[]): {
  readonly packed: WireEntry[];
  readonly buffer: ArrayBuffer;
} {
  const size = entries.reduce(
    (sum, { record }) => sum + (record.key?.length ?? 0) + (record.value?.length ?? 0),
    0,
  );
  const buffer = new ArrayBuffer(size);
  let used = 0;
  const put = (bytes: Buffer | null): Uint8Array | null => {
    if (bytes === null) return null;
    const view = new Uint8Array(buffer, used, bytes.length);
    view.set(bytes);
    used += bytes.length;
    return view;
  };
  const packed = entries.map(({ topic, submission, record }) => ({
    topic,
    submission: submission ?? null,
    headers: encodeHeaders(record.headers),
    key: put(record.key),
    value: put(record.value),
  }));
  return { packed, buffer };
}

export function unpackRecord(
  topic: Topic,
  { offset, at, key, headers, value }: WireRecord,
): LogRecord {
  return {
    topic,
    partition: 0,
    offset: BigInt(offset),
    at,
    key: toBuffer(key),
    headers: decodeHeaders(headers),
    value: toBuffer(value),
  };
}

/** The same bytes as a Buffer, without copying. */
export function toBuffer(bytes: Uint8Array): Buffer;
export function toBuffer(bytes: Uint8Array | null): Buffer | null;
export function toBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Lossless: names as JSON strings, values in base64. */
export function encodeHeaders(headers: NewRecord['headers']): string {
  return JSON.stringify(headers.map(([name, content]) => [name, content.toString('base64')]));
}

/** The inverse of `encodeHeaders`. */
export function decodeHeaders(text: string): NewRecord['headers'] {
  const pairs: readonly (readonly [string, string])[] = JSON.parse(text);
  return pairs.map(([name, content]) => [name, Buffer.from(content, 'base64')] as const);
}

/**
 * All buffers inside `value`, to be transferred instead of copied. node:sqlite allocates a buffer
 * for each blob.
 */
export function buffersWithin(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (part: unknown): void => {
    if (part instanceof Uint8Array) {
      if (part.buffer instanceof ArrayBuffer) found.add(part.buffer);
    } else if (typeof part === 'object' && part !== null) {
      for (const member of Object.values(part)) visit(member);
    }
  };
  visit(value);
  return [...found];
}
