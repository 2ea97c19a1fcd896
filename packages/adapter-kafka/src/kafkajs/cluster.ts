import type { Kafka } from 'kafkajs';
import type { AbortedTransaction } from './withhold-aborted.ts';
import type { FetchedMessage } from './record-batch.ts';

/**
 * kafkajs's cluster connection, on which its consumer is built. Readers of whole topics use it
 * directly, because a consumer does not fit: it joins a group first, which costs the brokers'
 * `group.initial.rebalance.delay.ms` (3 s) and an unused group name; it pushes records; and it
 * never reports a topic's end if the end is a marker or an aborted record. Not public in kafkajs;
 * its version is pinned.
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
  readonly brokerPool: {
    /** Known brokers, by node. Empty before the first metadata of a topic. */
    readonly brokers: Readonly<Record<string, Broker>>;
    /** The broker of the first connection. */
    readonly seedBroker: Broker;
    /** Calls `ask` with one broker after the other until one answers; `null`: none did. */
    withBroker<T>(ask: (chosen: { readonly broker: Broker }) => Promise<T>): Promise<T | null>;
  };
  fetchTopicsOffset(wanted: readonly [TopicOffsetsWanted]): Promise<
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
  /** The supported versions by API key. Absent before it is connected. */
  readonly versions?: Readonly<
    Partial<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>
  >;
  readonly connectionPool: { send<T>(protocol: Protocol<T>): Promise<T> };
  fetch(request: FetchRequest): Promise<FetchResponse>;
  listOffsets(request: ListOffsetsRequest): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[];
  }>;
}

/** A request of kafkajs, with the decoder of its response. */
export interface Protocol<T> {
  /** `encode` returns an encoder of kafkajs. */
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<unknown>;
  };
  readonly response: {
    readonly decode: (bytes: Buffer) => Promise<T>;
    readonly parse: (decoded: T) => Promise<T>;
  };
}

export interface ListOffsetsRequest {
  /** 1: read committed, so that the end is the last stable offset. */
  readonly isolationLevel: 1;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly timestamp: string }[];
  }[];
}

export interface FetchRequest {
  /** 0: read uncommitted; 1: read committed. */
  readonly isolationLevel: 0 | 1;
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
      /**
       * The last stable offset: the first offset of the oldest open transaction. All records before
       * it are decided.
       */
      readonly lastStableOffset: string;
      readonly abortedTransactions?: readonly AbortedTransaction[] | null;
      readonly messages: readonly FetchedMessage[];
    }[];
  }[];
}

/** The age at which known partitions and leaders are requested again. */
const METADATA_AGE_MS = 60_000;
const CREATE = 'private:Kafka:createCluster';

/**
 * Uses the client's own connection options. `ends` are high watermarks (isolation level 0), so open
 * transactions count.
 */
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
