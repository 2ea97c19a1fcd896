import type { FetchedMessage } from '../kafkajs/record-batch.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import type { Fetched } from './fetched.ts';

const MAX_WAIT_MS = 500;

/**
 * The message at an offset. `undefined`: there is none. It was never appended, was deleted, is a
 * marker, or its transaction is aborted or still open.
 */
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

/** The result of `readAhead`. */
export interface Ahead {
  /** The first message that is visible now. */
  readonly first: FetchedMessage | undefined;
  /**
   * If `first` is undefined: no record is visible before this offset, and none after it is decided.
   */
  readonly upTo: bigint;
}

/**
 * The first visible record at or after an offset. Does not wait for open transactions. Fetches one
 * batch, and more only if that batch holds no visible record.
 */
export async function readAhead(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  from: bigint,
): Promise<Ahead> {
  const {
    messages: [first],
    next,
  } = await fetchAhead(connection, topic, partition, from);
  return { first, upTo: next };
}

/** Like `readAhead`, with all records of the fetched batch. Empty: there is no decided record. */
export async function readBatchAhead(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  from: bigint,
): Promise<readonly FetchedMessage[]> {
  return (await fetchAhead(connection, topic, partition, from)).messages;
}

async function fetchAhead(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  from: bigint,
): Promise<Fetched> {
  let plan: FetchPlan = { from, maxWaitMs: 0, mostBytes: 1 };
  for (;;) {
    const fetched = await fetchOne(connection, topic, partition, plan);
    if (fetched.messages.length > 0 || fetched.next === plan.from) return fetched;
    plan = { from: fetched.next, maxWaitMs: 0 };
  }
}

/**
 * Everything of a partition from an offset up to its end at the call, also what is undecided or was
 * aborted, and markers.
 */
export async function readUndecided(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  from: bigint,
): Promise<FetchedMessage[]> {
  const end = (await connection.ends(topic)).get(partition) ?? from;
  const found: FetchedMessage[] = [];
  for (let next = from; next < end;) {
    const messages = await connection.fetchUndecided(topic, partition, next);
    const last = messages.at(-1);
    if (last === undefined) break;
    found.push(...messages);
    next = BigInt(last.offset) + 1n;
  }
  return found;
}

/**
 * The records of a partition's open transactions, in order: those after the last stable offset
 * without a marker behind them.
 */
export async function readOpen(
  connection: ClusterConnection,
  topic: string,
  partition: number,
): Promise<FetchedMessage[]> {
  const stable = (await connection.stableEnds(topic)).get(partition) ?? 0n;
  const open = new Map<string, FetchedMessage[]>();
  for (const message of await readUndecided(connection, topic, partition, stable)) {
    const { producerId, inTransaction } = message.batchContext;
    if (message.isControlRecord) open.delete(producerId);
    else if (inTransaction) open.set(producerId, [...(open.get(producerId) ?? []), message]);
  }
  return [...open.values()].flat();
}

/**
 * All records of a small topic's partition that are visible now. Does not wait for open
 * transactions.
 */
export async function readDecided(
  connection: ClusterConnection,
  topic: string,
  partition: number,
): Promise<FetchedMessage[]> {
  const found: FetchedMessage[] = [];
  let next = (await connection.starts(topic)).get(partition) ?? 0n;
  for (;;) {
    const fetched = await fetchOne(connection, topic, partition, { from: next, maxWaitMs: 0 });
    found.push(...fetched.messages);
    if (fetched.next === next) return found;
    ({ next } = fetched);
  }
}

/**
 * The number of offsets in the first search window. Each further window is four times as long, so
 * that a long tail of markers costs few requests.
 */
const FIRST_WINDOW = 64n;

export interface LookBack {
  readonly wanted?: (message: FetchedMessage) => boolean;
  /** True (default): waits for open transactions. */
  readonly awaitOpen?: boolean;
}

/** The last visible message of a partition for which `wanted` is true; `undefined`: none. */
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
