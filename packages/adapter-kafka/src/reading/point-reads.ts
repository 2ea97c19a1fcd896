import type { FetchedMessage } from '../kafkajs/record-batch.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import type { Fetched } from './fetched.ts';

const MAX_WAIT_MS = 500;

/** The message at an offset; `undefined` where the log has none there: never appended, gone, a marker, aborted or not decided yet. */
export async function readOne(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  offset: bigint,
): Promise<FetchedMessage | undefined> {
  const [start, end] = [
    (await connection.starts(topic)).get(partition),
    (await connection.ends(topic)).get(partition),
  ];
  if (start === undefined || end === undefined || offset < start || offset >= end) return undefined;
  for (let next = offset; next <= offset;) {
    const fetched = await fetchOne(connection, topic, partition, { from: next, maxWaitMs: 0 });
    const found = fetched.messages.find((message) => BigInt(message.offset) === offset);
    if (found !== undefined) return found;
    if (fetched.next === next && fetched.lastStable <= offset) return undefined;
    ({ next } = fetched);
  }
  return undefined;
}

/** What a look forward found. */
export interface Ahead {
  /** The first message that readers may see now. */
  readonly first: FetchedMessage | undefined;
  /** Without one: nothing for readers stands before this offset, and nothing that is decided behind it. */
  readonly upTo: bigint;
}

/** What stands at an offset or behind it, transactions still open not awaited. Brings one batch; where that holds nothing for readers, then one fetch after the other. */
export async function readAhead(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  from: bigint,
): Promise<Ahead> {
  let plan: FetchPlan = { from, maxWaitMs: 0, mostBytes: 1 };
  for (;;) {
    const {
      messages: [first],
      next,
    } = await fetchOne(connection, topic, partition, plan);
    if (first !== undefined || next === plan.from) return { first, upTo: next };
    plan = { from: next, maxWaitMs: 0 };
  }
}

/** Records of a first look back; each further one is four times as far, so that a long tail of markers costs few requests. */
const FIRST_WINDOW = 64n;

export interface LookBack {
  readonly wanted?: (message: FetchedMessage) => boolean;
  /** Whether transactions still open are awaited; default true. */
  readonly awaitOpen?: boolean;
}

/** The last message readers may see of a partition and that is `wanted`; `undefined` where there is none. */
export async function readLast(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  { wanted = () => true, awaitOpen = true }: LookBack = {},
): Promise<FetchedMessage | undefined> {
  const [start, end] = [
    (await connection.starts(topic)).get(partition),
    (await connection.ends(topic)).get(partition),
  ];
  if (start === undefined || end === undefined) return undefined;
  let window = FIRST_WINDOW;
  for (let high = end; high > start; window *= 4n) {
    const low = high - window > start ? high - window : start;
    const last = await lastWithin(connection, topic, partition, { low, high, wanted, awaitOpen });
    if (last !== undefined) return last;
    high = low;
  }
  return undefined;
}

interface Window extends Required<LookBack> {
  readonly low: bigint;
  readonly high: bigint;
}

async function lastWithin(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  { low, high, wanted, awaitOpen }: Window,
): Promise<FetchedMessage | undefined> {
  let last: FetchedMessage | undefined;
  for (let next = low; next < high;) {
    const fetched = await fetchOne(connection, topic, partition, {
      from: next,
      maxWaitMs: awaitOpen ? MAX_WAIT_MS : 0,
    });
    last =
      fetched.messages.findLast((message) => BigInt(message.offset) < high && wanted(message)) ??
      last;
    if (!awaitOpen && fetched.next === next) return last;
    ({ next } = fetched);
  }
  return last;
}

interface FetchPlan {
  readonly from: bigint;
  readonly maxWaitMs: number;
  readonly mostBytes?: number;
}

async function fetchOne(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  { from, maxWaitMs, mostBytes }: FetchPlan,
): Promise<Fetched> {
  const node = (await connection.leaders(topic)).get(partition) ?? '-1';
  const [fetched] = await connection.fetch(
    topic,
    node,
    new Map([[partition, from]]),
    maxWaitMs,
    mostBytes,
  );
  if (fetched === undefined)
    throw new KafkaLogError({
      code: 'KAFKA_UNREACHABLE',
      remedy: 'retry',
      message: `Expected an answer for ${topic} partition ${partition}, found the client throttled. It is tried again.`,
    });
  return fetched;
}
