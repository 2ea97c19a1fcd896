import type { Kafka } from 'kafkajs';
import { mayPass } from '../kafka-error.ts';
import { ClusterConnection } from './cluster-connection.ts';
import type { Fetched, Offsets } from './fetched.ts';
import { atMost, pause } from './pause.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Where to begin and, unless it goes on for ever, where to end: offsets by partition, the end excluded. */
export interface ReadingPlan {
  readonly from: Offsets;
  readonly until: Offsets | undefined;
}

/** How long a broker waits where nothing is new; what is new is answered at once. Also how long an aborted reading may take to close. */
const MAX_WAIT_MS = 500;
const CLOSE_WITHIN_MS = 1_000;
/** In a row, without a single record in between: elections are over by then, about 6 s. */
const ATTEMPTS = 6;

/**
 * What readers may see of a topic's partitions, per partition in order, at most a fetch a broker in memory. Mends elections and dropped
 * connections itself; throws coded errors. Returns at the plan's end or when `signal` is aborted.
 */
export async function* readPartitions(
  kafka: Kafka,
  topic: string,
  plan: (connection: ClusterConnection) => Promise<ReadingPlan>,
  signal: AbortSignal,
): AsyncGenerator<Fetched> {
  let connection = await ClusterConnection.open(kafka);
  // Also for a reader that neither asks for more nor says that it is done: it never gets to the end below.
  const onAbort = (): void => {
    void closed(connection);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let planned: Progress | undefined;
    for (let failures = 0; ;) {
      try {
        planned ??= progressOf(await plan(connection));
        for await (const fetched of follow(connection, topic, planned, signal)) {
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
  /** Throws where the broker did not answer. */
  readonly partitions: () => readonly Fetched[];
}

/** Asks each broker for its partitions; asks it again only once what it answered was taken. */
async function* follow(
  connection: ClusterConnection,
  topic: string,
  { positions, until }: Progress,
  signal: AbortSignal,
): AsyncGenerator<Fetched> {
  const asked = new Map<string, Promise<Answer>>();
  try {
    while (!signal.aborted) {
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
    // A connection closed while a request is on it waits for the answer; one closed while it is being made is never closed.
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
