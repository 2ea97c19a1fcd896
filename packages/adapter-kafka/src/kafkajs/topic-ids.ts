import { createRequire } from 'node:module';
import type { Broker } from './cluster.ts';

// kafkajs 2.2.4 knows Metadata up to version 6; topic ids (KIP-516) came with version 10. This is
// the one request of a later version that is needed: Metadata 12, in the flexible encoding of
// KIP-482. kafkajs writes request header 1 and reads response header 0; the empty tagged fields
// that make them headers 2 and 1 stand at the begin of what is encoded and decoded here.
// https://kafka.apache.org/protocol#The_Messages_Metadata

const API_KEY = 3;
const API_VERSION = 12;
const NO_ID = Buffer.alloc(16);
const NO_TAGS = Buffer.from([0]);

/** True if this broker supports the request: Apache Kafka 3.1 and later do. */
export function supportsTopicIds({ versions }: Pick<Broker, 'versions'>): boolean {
  const { minVersion = 0, maxVersion = 0 } = versions?.[API_KEY] ?? {};
  return minVersion <= API_VERSION && maxVersion >= API_VERSION;
}

/**
 * Ids by the cluster's names, as Kafka's own tools print them. A topic that does not exist, or that
 * this user may not see, is left out.
 */
export async function fetchTopicIds(
  { connectionPool }: Pick<Broker, 'connectionPool'>,
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const Encoder: new () => { writeBuffer(bytes: Buffer): unknown } = createRequire(import.meta.url)(
    'kafkajs/src/protocol/encoder',
  );
  return await connectionPool.send({
    request: {
      apiKey: API_KEY,
      apiVersion: API_VERSION,
      apiName: 'Metadata',
      encode: () => Promise.resolve(new Encoder().writeBuffer(encodeRequest(topics))),
    },
    response: {
      decode: (bytes) => Promise.resolve(decodeResponse(bytes)),
      parse: (ids) => Promise.resolve(ids),
    },
  });
}

/** Creates no topic and requests no authorized operations. */
export function encodeRequest(topics: readonly string[]): Buffer {
  const named = topics.map((name) =>
    Buffer.concat([NO_ID, uvarint(Buffer.byteLength(name) + 1), Buffer.from(name), NO_TAGS]),
  );
  return Buffer.concat([
    NO_TAGS,
    uvarint(topics.length + 1),
    ...named,
    Buffer.from([0, 0]),
    NO_TAGS,
  ]);
}

/** Throws a `RangeError` if the response is truncated. */
export function decodeResponse(bytes: Buffer): ReadonlyMap<string, string> {
  const reader = new Reader(bytes);
  reader.tags();
  reader.skip(4);
  reader.list(() => {
    reader.skip(4);
    reader.text();
    reader.skip(4);
    reader.text();
    reader.tags();
  });
  reader.text();
  reader.skip(4);
  const ids = new Map<string, string>();
  reader.list(() => {
    const error = reader.bytes(2).readInt16BE(0);
    const name = reader.text();
    const id = reader.bytes(16);
    reader.skip(1);
    reader.list(() => {
      reader.skip(14);
      for (let left = 3; left > 0; left -= 1)
        reader.list(() => {
          reader.skip(4);
        });
      reader.tags();
    });
    reader.skip(4);
    reader.tags();
    if (error === 0 && name !== undefined && !id.equals(NO_ID))
      ids.set(name, id.toString('base64url'));
  });
  reader.tags();
  return ids;
}

function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length)
      throw new RangeError('Expected a whole Metadata response, found it cut off.');
    const found = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return found;
  }

  skip(length: number): void {
    this.bytes(length);
  }

  /** Reads a compact string; `undefined`: null. */
  text(): string | undefined {
    const length = this.#uvarint();
    return length === 0 ? undefined : this.bytes(length - 1).toString('utf8');
  }

  /** Reads a compact array. */
  list(each: () => void): void {
    for (let left = this.#uvarint(); left > 1; left -= 1) each();
  }

  tags(): void {
    for (let left = this.#uvarint(); left > 0; left -= 1) {
      this.#uvarint();
      this.skip(this.#uvarint());
    }
  }

  #uvarint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes(1).readUInt8(0);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
}
