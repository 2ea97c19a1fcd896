import type { Headers } from '@residency/cloudevents';
import { GROUP } from '../names.ts';
import { request } from '../network.ts';
import { here } from '../process.ts';
import { hash } from '../random.ts';
import type { SimCluster } from './cluster.ts';
import { SimConsumer } from './consumer.ts';
import type { ConsumerConfig } from './consumer.ts';
import { fetchFrom } from './fetch.ts';
import type { FetchResponse, FetchWanted } from './fetch.ts';
import type { NewStored } from './partition-log.ts';
import { noAnswer, protocolError, typeOf } from './protocol-error.ts';

// What `adapter-kafka/src/kafkajs/kafkajs.ts` exports, over the simulated cluster of the process
// that asks.

export const logLevel = { INFO: 4 } as const;
export const ConfigResourceTypes = { TOPIC: 2 } as const;
/** The simulated group assigns by itself: all members of a world are of one release. */
export const PartitionAssigners = { roundRobin: () => ({}) };
/** Any function of the key does: what the world's publishers send names its partition. */
export const Partitioners = {
  DefaultPartitioner:
    () =>
    ({
      message: { key },
      partitionMetadata,
    }: {
      readonly message: Message;
      readonly partitionMetadata: readonly unknown[];
    }): number =>
      hash(key?.toString('hex') ?? '', 0) % partitionMetadata.length,
};

interface Message {
  readonly partition?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Headers;
}

/** Asks the cluster of this process's world. */
export async function ask<T>(what: string, serve: (cluster: SimCluster) => T): Promise<T> {
  const { kafka } = here().world;
  return await request<T>({
    service: 'kafka',
    what,
    silence: noAnswer,
    serve: (answer) => {
      answer.ok(serve(kafka));
    },
  });
}

const CREATE_CLUSTER = Symbol('private:Kafka:createCluster');

export class Kafka {
  /** An own property, where kafkajs has it. */
  readonly [CREATE_CLUSTER] = (): ClusterConnection => new ClusterConnection(here().world.kafka);

  // oxlint-disable-next-line typescript/class-methods-use-this
  producer(config: {
    readonly transactionalId?: string;
    readonly transactionTimeout?: number;
  }): Producer {
    return new Producer(config);
  }

  consumer(config: ConsumerConfig): SimConsumer {
    return new SimConsumer(config);
  }

  admin(): object {
    return {
      connect: async () => {
        await ask('connect', () => undefined);
      },
      disconnect: async () => undefined,
      describeCluster: async () =>
        await ask('describe cluster', ({ clusterId }) => ({
          clusterId,
          brokers: [],
          controller: 0,
        })),
      fetchOffsets: async ({
        groupId,
        topics,
      }: {
        readonly groupId: string;
        readonly topics: readonly string[];
      }) =>
        await ask('fetch offsets', (cluster) =>
          topics.map((topic) => ({
            topic,
            partitions: cluster.partitionsOf(topic).map(({ partition }) => ({
              partition,
              offset: String(cluster.committed(groupId, topic, partition) ?? -1),
            })),
          })),
        ),
    };
  }
}

interface SimBroker {
  readonly fetch: (wanted: FetchWanted) => Promise<FetchResponse>;
  readonly listOffsets: (wanted: {
    readonly isolationLevel: 0 | 1;
    readonly topics: readonly [
      { readonly topic: string; readonly partitions: readonly { readonly partition: number }[] },
    ];
  }) => Promise<object>;
}

/**
 * kafkajs's own connection. What a client knows of topics and leaders it knows at once; the answers
 * are the cluster's.
 */
class ClusterConnection {
  readonly #cluster: SimCluster;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  async connect(): Promise<void> {
    await ask('connect', () => undefined);
  }

  async disconnect(): Promise<void> {}

  async addTargetTopic(): Promise<void> {}

  async refreshMetadataIfNecessary(): Promise<void> {}

  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number }[] {
    return this.#cluster
      .partitionsOf(topic)
      .map(({ partition, leader }) => ({ partitionId: partition, leader }));
  }

  /** Every broker tells topic ids, as `topic-ids.ts` asks for them. */
  readonly brokerPool = {
    brokers: { 1: {} },
    seedBroker: {},
    withBroker: async <T>(
      wanted: (chosen: { readonly broker: object }) => Promise<T>,
    ): Promise<T> => await wanted({ broker: {} }),
  };

  async findBroker(): Promise<SimBroker> {
    return {
      fetch: async (wanted) => await fetchFrom(wanted),
      listOffsets: async ({ isolationLevel, topics: [{ topic, partitions }] }) =>
        await ask('list offsets', (cluster) => ({
          responses: [
            {
              topic,
              partitions: partitions.map(({ partition }) => {
                const { end, lastStable } = cluster.log(topic, partition);
                return { partition, offset: String(isolationLevel === 0 ? end : lastStable) };
              }),
            },
          ],
        })),
    };
  }

  async fetchTopicsOffset([{ topic, partitions, fromBeginning, fromTimestamp }]: readonly [
    {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning?: boolean;
      readonly fromTimestamp?: number;
    },
  ]): Promise<object> {
    return await ask('list offsets', (cluster) => [
      {
        topic,
        partitions: partitions.map(({ partition }) => {
          const log = cluster.log(topic, partition);
          if (fromTimestamp === undefined)
            return { partition, offset: String(fromBeginning === true ? log.start : log.end) };
          return {
            partition,
            offset: String(
              log.slice(log.start, log.end).find(({ at }) => at >= fromTimestamp)?.offset ?? -1,
            ),
          };
        }),
      },
    ]);
  }
}

class Producer {
  readonly #id: string | undefined;
  readonly #timeoutMs: number;
  #epoch = -1;
  #producerId = -1;

  constructor({
    transactionalId,
    transactionTimeout = 60_000,
  }: {
    readonly transactionalId?: string;
    readonly transactionTimeout?: number;
  }) {
    this.#id = transactionalId;
    this.#timeoutMs = transactionTimeout;
  }

  async connect(): Promise<void> {
    const id = this.#id;
    if (id === undefined) {
      this.#producerId = await ask('init producer', (cluster) => cluster.newProducerId());
      return;
    }
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const known = await ask(`fence ${id}`, (cluster) =>
        cluster.transactions.init(id, this.#timeoutMs),
      );
      if (known !== undefined) {
        this.#epoch = known.epoch;
        this.#producerId = known.producerId;
        return;
      }
      await wait(20 * 2 ** attempt);
    }
    throw noAnswer();
  }

  async disconnect(): Promise<void> {}

  async send({
    topic,
    messages,
  }: {
    readonly topic: string;
    readonly messages: readonly Message[];
  }): Promise<object[]> {
    const [partition, records] = ofOne(messages);
    const baseOffset = await ask(`produce to ${topic}/${partition}`, (cluster) => {
      const log = cluster.log(topic, partition);
      return log.append(records, cluster.clockOf(log), {
        id: this.#producerId,
        epoch: 0,
        inTransaction: false,
      });
    });
    return [{ partition, errorCode: 0, baseOffset: String(baseOffset) }];
  }

  async transaction(): Promise<object> {
    const id = this.#id ?? '';
    let [touched, settles, custody] = [false, false, false];
    return {
      send: async ({
        topic,
        messages,
      }: {
        readonly topic: string;
        readonly messages: readonly Message[];
      }) => {
        const [partition, records] = ofOne(messages);
        touched = true;
        custody ||= topic.startsWith('residency.custody.');
        if (custody) await frozen(custody);
        await whenFree(`add ${topic}/${partition}`, (cluster) => {
          cluster.transactions.add(id, this.#epoch, cluster.log(topic, partition));
        });
        const baseOffset = await ask(`produce to ${topic}/${partition}`, (cluster) => {
          const log = cluster.log(topic, partition);
          if (log.epochOf(this.#producerId) > this.#epoch)
            throw protocolError('INVALID_PRODUCER_EPOCH');
          return log.append(records, cluster.clockOf(log), {
            id: this.#producerId,
            epoch: this.#epoch,
            inTransaction: true,
          });
        });
        return [{ topicName: topic, partition, errorCode: 0, baseOffset: String(baseOffset) }];
      },
      sendOffsets: async ({
        consumerGroupId,
        topics,
      }: {
        readonly consumerGroupId: string;
        readonly topics: readonly {
          readonly topic: string;
          readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
        }[];
      }) => {
        touched = true;
        settles = true;
        for (const { topic, partitions } of topics) {
          for (const { partition, offset } of partitions) {
            await whenFree('add offsets', (cluster) => {
              cluster.transactions.addOffset(
                id,
                this.#epoch,
                `${consumerGroupId}/${topic}/${partition}`,
                Number(offset),
              );
            });
          }
        }
        await frozen(false);
      },
      commit: async () => {
        if (settles) assertHeard();
        await failing(id, this.#epoch, custody);
        await whenFree(`commit ${id}`, (cluster) => {
          cluster.transactions.end(id, this.#epoch, 'commit');
        });
      },
      abort: async () => {
        if (touched)
          await whenFree(`abort ${id}`, (cluster) => {
            cluster.transactions.end(id, this.#epoch, 'abort');
          });
      },
    };
  }
}

const ATTEMPTS = 8;
/** A session of the routers' group, as `actors/router.ts` sets it. */
const SESSION_MS = 3_000;

/** Whoever commits a batch has had an answer of its group within a session. */
function assertHeard(): void {
  const { name, world } = here();
  const silence = world.kafka.group(GROUP).silenceOf(name);
  if (silence > SESSION_MS)
    world.violated(
      'a commit follows a heartbeat',
      `${name} commits ${Math.round(silence)} ms after the group's last answer`,
    );
}

/** What becomes of the next commits of custodians, or of routers. */
function faultsOf(custody: boolean): SimCluster['commitFaults'] {
  const { kafka } = here().world;
  return custody ? kafka.custodyFaults : kafka.commitFaults;
}

/** The world freezes this process: a router in its transaction, a custodian right before it. */
async function frozen(custody: boolean): Promise<void> {
  const process = here();
  const { world } = process;
  const faults = faultsOf(custody);
  if (faults[0]?.how !== 'frozen') return;
  // Longer than a session, so that the group moves on meanwhile.
  const lateMs = SESSION_MS + (faults.shift()?.lateMs ?? 0);
  world.faults.count('commit frozen');
  world.narrate(
    world.scheduler.now,
    'world',
    `freezes ${process.name} in a transaction for ${Math.round(lateMs)} ms`,
  );
  process.freeze();
  world.scheduler.after(lateMs, undefined, 'thaw', () => {
    process.thaw();
  });
  await wait(1);
}

/** A commit that the world lets fail: throws where nobody answers it. */
async function failing(id: string, epoch: number, custody: boolean): Promise<void> {
  const { world } = here();
  const faults = faultsOf(custody);
  const fault = faults[0]?.how === 'frozen' ? undefined : faults.shift();
  if (fault === undefined) return;
  world.faults.count(`commit ${fault.how}`);
  world.narrate(
    world.scheduler.now,
    here().name,
    `commits ${id}, which is ${fault.how}${fault.how === 'late' ? ` by ${Math.round(fault.lateMs)} ms` : ''}`,
  );
  if (fault.how !== 'lost') {
    world.scheduler.after(
      fault.how === 'late' ? fault.lateMs : 1,
      undefined,
      'kafka a commit arrives',
      () => {
        try {
          world.kafka.transactions.end(id, epoch, 'commit');
        } catch {
          // Its sender is gone: nobody is told that it was fenced.
        }
      },
    );
  }
  await wait(20);
  throw noAnswer();
}

/**
 * As kafkajs does: while an earlier transaction of the same id is still being ended, the same
 * again.
 */
async function whenFree<T>(what: string, serve: (cluster: SimCluster) => T): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask(what, serve);
    } catch (error) {
      if (typeOf(error) !== 'CONCURRENT_TRANSACTIONS' || attempt >= ATTEMPTS) throw error;
      await wait(20 * 2 ** attempt);
    }
  }
}

function ofOne(messages: readonly Message[]): [number, NewStored[]] {
  return [
    messages[0]?.partition ?? 0,
    messages.map(({ key, value, headers }) => ({ key, value, headers: headers ?? [] })),
  ];
}

async function wait(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  here().after(Math.min(ms, 1_000), 'back-off', resolve);
  await promise;
}
