import type { Kafka } from 'kafkajs';
import type { AbortedTransaction } from './withhold-aborted.ts';
import type { FetchedMessage } from './record-batch.ts';

/**
 * kafkajs's cluster connection, which its consumer is built on. Readers of whole topics use it directly: a consumer joins a group first, which
 * costs the brokers' `group.initial.rebalance.delay.ms` (3 s) and a name nobody commits under, pushes instead of being asked, and never says
 * that a topic's end is reached where the end is a marker or an aborted record. Not public in kafkajs; its version is pinned.
 */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number }[];
  findBroker(wanted: { readonly nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    wanted: readonly [TopicOffsetsWanted],
  ): Promise<
    readonly {
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[]
  >;
}

export interface TopicOffsetsWanted {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
  readonly fromBeginning?: boolean;
  readonly fromTimestamp?: number;
}

export interface Broker {
  fetch(request: FetchRequest): Promise<FetchResponse>;
}

export interface FetchRequest {
  /** 1: read committed. */
  readonly isolationLevel: 1;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly topics: readonly [
    {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    },
  ];
}

export interface FetchResponse {
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly partition: number;
      readonly highWatermark: string;
      /** The first offset of the oldest transaction that is still open; what stands before it is decided. */
      readonly lastStableOffset: string;
      readonly abortedTransactions?: readonly AbortedTransaction[] | null;
      readonly messages: readonly FetchedMessage[];
    }[];
  }[];
}

/** How old the partitions and leaders known may be before they are asked for again. */
const METADATA_AGE_MS = 60_000;
const CREATE = 'private:Kafka:createCluster';

/** With the client's own connection options. `ends` are high watermarks (isolation level 0): those of open transactions count. */
export function newCluster(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === CREATE,
  );
  const create: unknown = symbol === undefined ? undefined : Reflect.get(kafka, symbol);
  if (typeof create !== 'function')
    throw new Error('Expected kafkajs 2.2.4, found one that makes its clusters elsewhere. Pin it.');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return create({
    allowAutoTopicCreation: false,
    isolationLevel: 0,
    metadataMaxAge: METADATA_AGE_MS,
  }) as Cluster;
}
