import { TOPICS } from '@residency/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defined } from '@residency/defined';
import { TOPIC_IDS_HEADER, encodeTopicIds, topicIdsOf } from '../../src/identity/topic-ids.ts';
import type { TopicIds } from '../../src/identity/topic-ids.ts';
import { decodeResponse, encodeRequest, supportsTopicIds } from '../../src/kafkajs/topic-ids.ts';

const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const someIds = fc
  .dictionary(fc.constantFrom(...Object.values(TOPICS)), id, { minKeys: 1 })
  .map(
    (ids): TopicIds =>
      new Map(
        Object.values(TOPICS).flatMap((topic) =>
          ids[topic] === undefined ? [] : [[topic, ids[topic]] as const],
        ),
      ),
  );

it('ids are read back from the header', () => {
  fc.assert(
    fc.property(someIds, (ids) => {
      expect(
        topicIdsOf([
          ['content-type', Buffer.from('x')],
          [TOPIC_IDS_HEADER, encodeTopicIds(ids)],
        ]),
      ).toEqual(ids);
    }),
  );
});

it.each([
  [[]],
  [[[TOPIC_IDS_HEADER, Buffer.from('')]]],
  [[[TOPIC_IDS_HEADER, Buffer.from('threat.samples=short,other=AAAAAAAAAAAAAAAAAAAAAA,=')]]],
] as [readonly [string, Buffer][]][])('a header without ids gives none', (headers) => {
  expect(topicIdsOf(headers)).toBeUndefined();
});

/** A Metadata response of version 12: one broker, and these topics. */
function response(
  topics: readonly {
    readonly name: string | null;
    readonly id: Buffer;
    readonly error?: number;
    readonly partitions?: number;
  }[],
): Buffer {
  const text = (value: string | null): Buffer =>
    value === null
      ? Buffer.from([0])
      : Buffer.concat([uvarint(Buffer.byteLength(value) + 1), Buffer.from(value)]);
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const int16 = (value: number): Buffer => {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return bytes;
  };
  const tagged = Buffer.from([1, 7, 2, 0xaa, 0xbb]);
  const replicas = Buffer.concat([uvarint(2), int32(1)]);
  const partition = Buffer.concat([
    int16(0),
    int32(0),
    int32(1),
    int32(5),
    replicas,
    replicas,
    uvarint(1),
    tagged,
  ]);
  const topic = ({ name, id: bytes, error = 0, partitions = 3 }: (typeof topics)[number]): Buffer =>
    Buffer.concat([
      int16(error),
      text(name),
      bytes,
      Buffer.from([0]),
      uvarint(partitions + 1),
      ...Array.from({ length: partitions }, () => partition),
      int32(-2147483648),
      Buffer.from([0]),
    ]);
  const broker = Buffer.concat([int32(1), text('localhost'), int32(9092), text(null), tagged]);
  return Buffer.concat([
    tagged,
    int32(0),
    uvarint(2),
    broker,
    text('cluster'),
    int32(1),
    uvarint(topics.length + 1),
    ...topics.map(topic),
    tagged,
  ]);
}

function uvarint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >> 7]);
}

it('ids are read from a Metadata response; unknown fields are skipped, and topics without an id left out', () => {
  const topics = [
    { name: 'p.threat.samples', id: Buffer.alloc(16, 1), partitions: 200 },
    { name: 'gone', id: Buffer.alloc(16), error: 3, partitions: 0 },
    { name: 'unseen', id: Buffer.alloc(16, 2), error: 29, partitions: 0 },
    { name: 'old', id: Buffer.alloc(16) },
    { name: null, id: Buffer.alloc(16, 3) },
  ];
  expect(decodeResponse(response(topics))).toEqual(
    new Map([['p.threat.samples', Buffer.alloc(16, 1).toString('base64url')]]),
  );
});

it('a Metadata response that is truncated anywhere is refused', () => {
  const whole = response([
    { name: 'a', id: Buffer.alloc(16, 1) },
    { name: 'b', id: Buffer.alloc(16, 2) },
  ]);
  for (let length = 0; length < whole.length; length += 1)
    expect(() => decodeResponse(whole.subarray(0, length))).toThrow(RangeError);
});

it('a request names topics without ids and creates none', () => {
  expect(encodeRequest(['ab']).toString('hex')).toBe(`0002${'00'.repeat(16)}03616200000000`);
});

it.each([
  [{ 3: { minVersion: 0, maxVersion: 13 } }, true],
  [{ 3: { minVersion: 0, maxVersion: 11 } }, false],
  [{ 3: { minVersion: 13, maxVersion: 14 } }, false],
  [undefined, false],
])('only a broker that answers version 12 is asked: %j', (versions, told) => {
  expect(supportsTopicIds(defined({ versions }))).toBe(told);
});
