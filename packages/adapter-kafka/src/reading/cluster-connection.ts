import type { Kafka } from 'kafkajs';
import { kafkaError } from '../kafka-error.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { newCluster } from '../kafkajs/cluster.ts';
import { fetchTopicIds, supportsTopicIds } from '../kafkajs/topic-ids.ts';
import type { Broker, Cluster } from '../kafkajs/cluster.ts';
import { fetched } from './fetched.ts';
import type { Fetched, Offsets } from './fetched.ts';
import type { FetchedMessage } from '../kafkajs/record-batch.ts';

// The largest fetch in memory. A single larger batch is fetched completely (`max.message.bytes`).
const FETCH_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 1024 * 1024;
/** In place of a timestamp: the end of the log. */
const LATEST = '-1';

/** The topic ids, or `undefined` if the broker does not support them. */
interface TopicIdsAnswer {
  readonly ids: ReadonlyMap<string, string> | undefined;
}

/**
 * One connection to the brokers for reading. `topic` is the cluster's name. Its methods throw coded
 * errors; after one of them, open another.
 */
export class ClusterConnection {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async open(kafka: Kafka): Promise<ClusterConnection> {
    const cluster = newCluster(kafka);
    try {
      await cluster.connect();
    } catch (error) {
      await cluster.disconnect();
      throw kafkaError(error);
    }
    return new ClusterConnection(cluster);
  }

  /** Partition to its leader's node. */
  async leaders(topic: string): Promise<ReadonlyMap<number, string>> {
    return await coded(topic, async () => {
      await this.#cluster.addTargetTopic(topic);
      await this.#cluster.refreshMetadataIfNecessary();
      return new Map(
        this.#cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId, leader }) => [partitionId, String(leader)]),
      );
    });
  }

  async starts(topic: string): Promise<Offsets> {
    return await this.#offsets(topic, { fromBeginning: true });
  }

  /** The offsets that the next records will get. Records of open transactions precede them. */
  async ends(topic: string): Promise<Offsets> {
    return await this.#offsets(topic, { fromBeginning: false });
  }

  /** The first records appended at or after `at`, milliseconds. If there is none: the end. */
  async since(topic: string, at: number): Promise<Offsets> {
    const ends = await this.ends(topic);
    const found = await this.#offsets(topic, { fromTimestamp: at });
    return new Map(
      [...ends].map(([partition, end]) => [
        partition,
        (found.get(partition) ?? -1n) < 0n ? end : (found.get(partition) ?? end),
      ]),
    );
  }

  /**
   * Fetches records from `from` on from one node, read committed. Waits up to `maxWaitMs` if there
   * are none. `mostBytes` 1 fetches one batch of any size.
   */
  async fetch(
    topic: string,
    node: string,
    from: Offsets,
    maxWaitMs: number,
    mostBytes = FETCH_BYTES,
  ): Promise<Fetched[]> {
    const response = await coded(topic, async () => {
      const broker = await this.#cluster.findBroker({ nodeId: node });
      const partitions = [...from].map(([partition, offset]) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: Math.min(mostBytes, PARTITION_BYTES),
      }));
      return await broker.fetch({
        isolationLevel: 1,
        maxWaitTime: maxWaitMs,
        minBytes: 1,
        maxBytes: mostBytes,
        topics: [{ topic, partitions }],
      });
    });
    return fetched(response, from);
  }

  /**
   * Everything of a partition from `from` on, also what no transaction has decided or what was
   * aborted, and markers. At most one fetch; empty at the end. `mostBytes` 1 fetches one batch of
   * any size.
   */
  async fetchUndecided(
    topic: string,
    partition: number,
    from: bigint,
    mostBytes = PARTITION_BYTES,
  ): Promise<readonly FetchedMessage[]> {
    const node = (await this.leaders(topic)).get(partition) ?? '-1';
    return await coded(topic, async () => {
      const broker = await this.#cluster.findBroker({ nodeId: node });
      const partitions = [{ partition, fetchOffset: String(from), maxBytes: mostBytes }];
      const { responses } = await broker.fetch({
        isolationLevel: 0,
        maxWaitTime: 0,
        minBytes: 1,
        maxBytes: mostBytes,
        topics: [{ topic, partitions }],
      });
      return responses
        .flatMap((response) => response.partitions)
        .flatMap(({ messages }) => messages)
        .filter(({ offset }) => BigInt(offset) >= from);
    });
  }

  /**
   * Ids by topic, for topics that exist and are visible. `undefined`: the broker does not support
   * topic ids.
   */
  async topicIds(topics: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
    return await coded(undefined, async () => {
      const { brokerPool } = this.#cluster;
      const answer =
        Object.keys(brokerPool.brokers).length === 0
          ? await idsOf(brokerPool.seedBroker, topics)
          : await brokerPool.withBroker(async ({ broker }) => await idsOf(broker, topics));
      // kafkajs's pool hides why a broker failed.
      if (answer === null)
        throw new KafkaLogError({
          code: 'KAFKA_UNREACHABLE',
          remedy: 'retry',
          message:
            "Expected a broker to return the topics' ids, found none that answered. It is tried again.",
        });
      return answer.ids;
    });
  }

  /** Last stable offsets: the first offset of a partition's oldest open transaction, or its end. */
  async stableEnds(topic: string): Promise<Offsets> {
    const leaders = await this.leaders(topic);
    return await coded(topic, async () => {
      const stable = new Map<number, bigint>();
      for (const node of new Set(leaders.values())) {
        const broker = await this.#cluster.findBroker({ nodeId: node });
        const partitions = [...leaders]
          .filter(([, leader]) => leader === node)
          .map(([partition]) => ({ partition, timestamp: LATEST }));
        const { responses } = await broker.listOffsets({
          isolationLevel: 1,
          topics: [{ topic, partitions }],
        });
        for (const { partition, offset } of responses.flatMap((response) => response.partitions))
          stable.set(partition, BigInt(offset));
      }
      return stable;
    });
  }

  /**
   * Append time of the record at an offset, also within an open transaction. `undefined`: the
   * offset holds no record.
   */
  async appendTime(topic: string, partition: number, offset: bigint): Promise<number | undefined> {
    const [found] = await this.fetchUndecided(topic, partition, offset, 1);
    return found === undefined ? undefined : Number(found.timestamp);
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect();
  }

  async #offsets(
    topic: string,
    which: { readonly fromBeginning: boolean } | { readonly fromTimestamp: number },
  ): Promise<Offsets> {
    const partitions = [...(await this.leaders(topic)).keys()].map((partition) => ({ partition }));
    return await coded(topic, async () => {
      const [found] = await this.#cluster.fetchTopicsOffset([{ topic, partitions, ...which }]);
      const offsets = new Map(
        found?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]),
      );
      // The response omits partitions without a leader.
      if (offsets.size < partitions.length)
        throw new KafkaLogError({
          code: 'KAFKA_UNREACHABLE',
          remedy: 'retry',
          message: `Expected a leader for every partition of ${topic}, found ${partitions.length - offsets.size} without. Look at the brokers.`,
        });
      return offsets;
    });
  }
}

async function idsOf(broker: Broker, topics: readonly string[]): Promise<TopicIdsAnswer> {
  return { ids: supportsTopicIds(broker) ? await fetchTopicIds(broker, topics) : undefined };
}

async function coded<T>(topic: string | undefined, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw kafkaError(error, topic);
  }
}
