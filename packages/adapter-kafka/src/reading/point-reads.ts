import type { FetchedMessage } from '../kafkajs/record-batch.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import type { Fetched } from './fetched.ts';

const MAX_WAIT_MS = 500;

/** The message at an offset; `undefined` where the log has none there: never appended, gone, a marker, aborted or not decided yet. */
export async function readOne(connection: ClusterConnection, topic: string, partition: number, offset: bigint): Promise<FetchedMessage | undefined> {
  const [start, end] = [(await connection.starts(topic)).get(partition), (await connection.ends(topic)).get(partition)];
  if (start === undefined || end === undefined || offset < start || offset >= end) return undefined;
  for (let next = offset; next <= offset;) {
    const fetched = await fetchOne(connection, topic, partition, next, 0);
    const found = fetched.messages.find((message) => BigInt(message.offset) === offset);
    if (found !== undefined) return found;
    if (fetched.next === next && fetched.lastStable <= offset) return undefined;
    ({ next } = fetched);
  }
  return undefined;
}

/** Records of a first look back; each further one is four times as far, so that a long tail of markers costs few requests. */
const FIRST_WINDOW = 64n;

/** The last message readers may see of a partition and that is `wanted`, transactions still open awaited; `undefined` where there is none. */
export async function readLast(
  connection: ClusterConnection, topic: string, partition: number, wanted: (message: FetchedMessage) => boolean = () => true,
): Promise<FetchedMessage | undefined> {
  const [start, end] = [(await connection.starts(topic)).get(partition), (await connection.ends(topic)).get(partition)];
  if (start === undefined || end === undefined) return undefined;
  let window = FIRST_WINDOW;
  for (let high = end; high > start; window *= 4n) {
    const low = high - window > start ? high - window : start;
    const last = await lastWithin(connection, topic, partition, { low, high, wanted });
    if (last !== undefined) return last;
    high = low;
  }
  return undefined;
}

interface Window {
  readonly low: bigint;
  readonly high: bigint;
  readonly wanted: (message: FetchedMessage) => boolean;
}

async function lastWithin(connection: ClusterConnection, topic: string, partition: number, { low, high, wanted }: Window): Promise<FetchedMessage | undefined> {
  let last: FetchedMessage | undefined;
  for (let next = low; next < high;) {
    const fetched = await fetchOne(connection, topic, partition, next, MAX_WAIT_MS);
    last = fetched.messages.findLast((message) => BigInt(message.offset) < high && wanted(message)) ?? last;
    ({ next } = fetched);
  }
  return last;
}

async function fetchOne(connection: ClusterConnection, topic: string, partition: number, from: bigint, maxWaitMs: number): Promise<Fetched> {
  const node = (await connection.leaders(topic)).get(partition) ?? '-1';
  const [fetched] = await connection.fetch(topic, node, new Map([[partition, from]]), maxWaitMs);
  if (fetched === undefined) throw new KafkaLogError({ code: 'KAFKA_UNREACHABLE', remedy: 'retry', message: `Expected an answer for ${topic} partition ${partition}, found the client throttled. It is tried again.` });
  return fetched;
}
