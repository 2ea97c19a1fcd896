import type { Kafka } from 'kafkajs';
import { kafkaError } from '../kafka-error.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { newCluster } from '../kafkajs/cluster.ts';
import type { Cluster } from '../kafkajs/cluster.ts';
import { fetched } from './fetched.ts';
import type { Fetched, Offsets } from './fetched.ts';

// What a fetch holds in memory, except that a single larger batch comes whole (`max.message.bytes`).
const FETCH_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 1024 * 1024;

/** One connection to the brokers for reading. `topic` is the cluster's name. Its methods throw coded errors; after one of them, open another. */
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

  /** The offsets the next records will get. Records of transactions still open precede them. */
  async ends(topic: string): Promise<Offsets> {
    return await this.#offsets(topic, { fromBeginning: false });
  }

  /** The first records appended at or after `at`, milliseconds; the end where there is none. */
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

  /** Asks one node for what follows `from`; waits up to `maxWaitMs` where there is nothing. Read committed. `mostBytes` 1: the first batch alone, whatever its size. */
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
      // A partition without a leader is left out of the answer.
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

async function coded<T>(topic: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw kafkaError(error, topic);
  }
}
