import { exchange } from '../../stack/exchange.ts';

// Raw requests to the brokers, for operations that our clients never perform on a running log:
// https://kafka.apache.org/protocol
const DELETE_RECORDS = 21;
const DELETE_GROUPS = 42;
const INCREMENTAL_ALTER_CONFIGS = 44;
const VERSION = 1;
const TOPIC = 2;
const SET = 0;
const TIMEOUT_MS = 300_000;
const NONE = 0;

/** Deletes the group and its committed positions. It must have no members. */
export async function deleteGroup(brokers: readonly string[], group: string): Promise<void> {
  // Throttle time, one result: the group and its error.
  await someBroker(brokers, DELETE_GROUPS, Buffer.concat([int32(1), string(group)]), (answer) =>
    answer.readInt16BE(answer.length - 2),
  );
}

/** Deletes records as retention does: the partition then begins at `before`. */
export async function deleteRecords(
  brokers: readonly string[],
  topic: string,
  partition: number,
  before: bigint,
): Promise<void> {
  const body = Buffer.concat([
    int32(1),
    string(topic),
    int32(1),
    int32(partition),
    int64(before),
    int32(TIMEOUT_MS),
  ]);
  // Throttle time, one topic, one partition: its number, its new start and its error.
  await someBroker(brokers, DELETE_RECORDS, body, (answer) =>
    answer.readInt16BE(answer.length - 2),
  );
}

/** Changes a topic's setting, as an operator does. */
export async function alterTopic(
  brokers: readonly string[],
  topic: string,
  setting: string,
  value: string,
): Promise<void> {
  const body = Buffer.concat([
    int32(1),
    int8(TOPIC),
    string(topic),
    int32(1),
    string(setting),
    int8(SET),
    string(value),
    int8(0),
  ]);
  // Size, correlation, throttle time, one result: its error.
  await someBroker(brokers, INCREMENTAL_ALTER_CONFIGS, body, (answer) => answer.readInt16BE(16), 0);
}

/** Tries the brokers until one is the coordinator, or leads the partition. */
async function someBroker(
  brokers: readonly string[],
  apiKey: number,
  body: Buffer,
  errorOf: (answer: Buffer) => number,
  version = VERSION,
): Promise<void> {
  const errors = [];
  for (const broker of brokers) {
    const error = errorOf(await ask(Number(broker.split(':').at(-1)), apiKey, version, body));
    if (error === NONE) return;
    errors.push(error);
  }
  throw new Error(
    `Expected Kafka to carry out request ${apiKey}, found the errors ${errors.join(', ')}.`,
  );
}

async function ask(port: number, apiKey: number, version: number, body: Buffer): Promise<Buffer> {
  const frame = Buffer.concat([int16(apiKey), int16(version), int32(1), string('test'), body]);
  return await exchange(
    port,
    Buffer.concat([int32(frame.length), frame]),
    (bytes) => bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0),
    TIMEOUT_MS,
  );
}

function int8(value: number): Buffer {
  return Buffer.from([value]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function string(text: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
}
