import { atMost, pause, unlessAborted } from '@residency/waiting';
import type { Kafka } from 'kafkajs';
import { mayPass } from '../kafka-error.ts';
import { ClusterConnection } from './cluster-connection.ts';
import type { Fetched, Offsets } from './fetched.ts';

/**
 * The offsets by partition at which to begin and, unless the reading has no end, to end
 * (exclusive).
 */
export interface ReadingPlan {
  readonly from: Offsets;
  readonly until: Offsets | undefined;
}

/** The topic to read, under the cluster's name. */
export interface ReadingSource {
  readonly kafka: Kafka;
  readonly topic: string;
  /**
   * Throws if the topic is not the one that was settled. Called at the beginning and every ten
   * seconds.
   */
  readonly requireSameTopic: () => Promise<void>;
}

const LOOK_EVERY_MS = 10_000;
/**
 * How long a broker waits for new records; it answers new ones at once. Also the longest time that
 * an aborted reading takes to close.
 */
const MAX_WAIT_MS = 500;
const CLOSE_WITHIN_MS = 1_000;
/**
 * The number of attempts without a record in between. They take about 6 s, longer than an election.
 */
const ATTEMPTS = 6;

/**
 * Yields the visible records of a topic's partitions, in order within a partition. Holds at most
 * one fetch of each broker in memory. Retries after elections and dropped connections. Throws coded
 * errors. Returns at the plan's end or when `signal` is aborted.
 */
export async function* readPartitions(
  source: ReadingSource,
  plan: (connection: ClusterConnection) => Promise<ReadingPlan>,
  signal: AbortSignal,
): AsyncGenerator<Fetched> {
  const { kafka } = source;
  let connection = await ClusterConnection.open(kafka);
  // Also ends a reader that neither requests more nor returns, because such a reader never reaches
  // the end below.
  const onAbort = (): void => {
    void closed(connection);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let planned: Progress | undefined;
    for (let failures = 0; ;) {
      try {
        await source.requireSameTopic();
        planned ??= progressOf(await plan(connection));
        for await (const fetched of follow(connection, source, planned, signal)) {
          failures = 0;
          yield fetched;
        }
        return;
      } catch (error) {
        failures += 1;
        if (!mayPass(error) || failures >= ATTEMPTS) throw error;
        await pause(100 * 2 ** failures, signal);
        if (signal.aborted) return;
        await closed(connection);
        connection = await ClusterConnection.open(kafka);
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await closed(connection);
  }
}

interface Progress {
  readonly positions: Map<number, bigint>;
  readonly until: Offsets | undefined;
}

function progressOf({ from, until }: ReadingPlan): Progress {
  return { positions: new Map(from), until };
}

interface Answer {
  readonly node: string;
  /** Throws if the broker did not answer. */
  readonly partitions: () => readonly Fetched[];
}

/**
 * Fetches from each broker its partitions. Fetches again only after the caller has taken the
 * previous records.
 */
async function* follow(
  connection: ClusterConnection,
  { topic, requireSameTopic }: ReadingSource,
  { positions, until }: Progress,
  signal: AbortSignal,
): AsyncGenerator<Fetched> {
  const asked = new Map<string, Promise<Answer>>();
  let lookedAt = performance.now();
  try {
    while (!signal.aborted) {
      if (performance.now() - lookedAt > LOOK_EVERY_MS) {
        await requireSameTopic();
        lookedAt = performance.now();
      }
      const open = [...positions].filter(
        ([partition, next]) => until === undefined || next < (until.get(partition) ?? 0n),
      );
      if (open.length === 0) return;
      for (const [node, from] of byNode(open, await connection.leaders(topic))) {
        if (!asked.has(node)) asked.set(node, answer(connection, topic, node, from));
      }
      const first = await unlessAborted(Promise.race(asked.values()), signal);
      if (first === undefined) return;
      asked.delete(first.node);
      for (const fetched of first.partitions()) {
        positions.set(fetched.partition, fetched.next);
        const messages = upTo(fetched, until?.get(fetched.partition));
        if (messages.length > 0) yield { ...fetched, messages };
      }
    }
  } finally {
    // A connection closed during a request waits for its response. One closed while it is being
    // opened is never closed.
    await atMost(CLOSE_WITHIN_MS, Promise.all(asked.values()));
  }
}

async function answer(
  connection: ClusterConnection,
  topic: string,
  node: string,
  from: Offsets,
): Promise<Answer> {
  try {
    const partitions = await connection.fetch(topic, node, from, MAX_WAIT_MS);
    return { node, partitions: () => partitions };
  } catch (error) {
    return {
      node,
      partitions: () => {
        throw error;
      },
    };
  }
}

function byNode(
  open: readonly (readonly [number, bigint])[],
  leaders: ReadonlyMap<number, string>,
): Map<string, Map<number, bigint>> {
  const nodes = new Map<string, Map<number, bigint>>();
  for (const [partition, next] of open) {
    const node = leaders.get(partition) ?? '-1';
    nodes.set(node, (nodes.get(node) ?? new Map<number, bigint>()).set(partition, next));
  }
  return nodes;
}

function upTo({ messages }: Fetched, end: bigint | undefined): Fetched['messages'] {
  return end === undefined ? messages : messages.filter(({ offset }) => BigInt(offset) < end);
}

async function closed(connection: ClusterConnection): Promise<void> {
  await atMost(CLOSE_WITHIN_MS, connection.close());
}
