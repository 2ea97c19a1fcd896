import { createHash } from 'node:crypto';
import { TOPICS, custodyTopic } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { EPOCH } from '../epoch.ts';
import { CUSTODY_REGION, GROUP } from '../names.ts';
import type { Random } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import { Group } from './group.ts';
import { PartitionLog } from './partition-log.ts';
import type { NewStored } from './partition-log.ts';
import { protocolError } from './protocol-error.ts';
import { Transactions } from './transactions.ts';

const BROKERS = 3;

interface CommitFault {
  readonly how: 'lost' | 'unanswered' | 'late' | 'frozen';
  readonly lateMs: number;
}

export interface ClusterOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly partitions: number;
  readonly markerLost: (log: PartitionLog | undefined) => void;
}

/**
 * Kafka as its clients see it: topics, leaders with clocks of their own, transactions, groups and
 * committed offsets.
 */
export class SimCluster {
  readonly clusterId = 'simulated-cluster';
  readonly scheduler: Scheduler;
  readonly transactions: Transactions;
  /** What becomes of the next commits of routers. */
  readonly commitFaults: CommitFault[] = [];
  /** What becomes of the next commits of custodians. */
  readonly custodyFaults: CommitFault[] = [];
  /** How far each broker's clock is ahead, milliseconds. */
  readonly clocks: number[] = Array.from({ length: BROKERS }, () => 0);
  readonly #topics = new Map<string, PartitionLog[]>();
  readonly #groups = new Map<string, Group>();
  /** `<group>/<topic>/<partition>` to the committed offset. */
  readonly #offsets = new Map<string, number>();
  readonly #topicIds = new Map<string, string>();
  #producerIds = 1_000_000;
  #remade = 0;

  constructor({ scheduler, random, partitions, markerLost }: ClusterOptions) {
    this.scheduler = scheduler;
    for (const [name, topic] of Object.entries(TOPICS)) {
      const count = name === 'samples' || name === 'audit' ? partitions : 1;
      this.#topics.set(
        topic,
        Array.from(
          { length: count },
          (_, partition) => new PartitionLog(topic, partition, random.int(BROKERS)),
        ),
      );
      this.#topicIds.set(topic, topicId(topic, 1));
    }
    const custody = custodyTopic(CUSTODY_REGION);
    this.#topics.set(custody, [new PartitionLog(custody, 0, 0)]);
    this.#topicIds.set(custody, topicId(custody, 1));
    this.transactions = new Transactions({
      scheduler,
      random,
      clockOf: (log) => this.clockOf(log),
      lost: markerLost,
      commitOffsets: (offsets) => {
        for (const [key, offset] of offsets) this.#offsets.set(key, offset);
      },
    });
  }

  /** The leader's clock, milliseconds since the epoch. */
  clockOf(log: PartitionLog): number {
    return EPOCH + Math.floor(this.scheduler.now) + (this.clocks[log.leader] ?? 0);
  }

  partitionsOf(topic: string): readonly PartitionLog[] {
    return this.#topics.get(topic) ?? [];
  }

  log(topic: string, partition: number): PartitionLog {
    const log = this.#topics.get(topic)?.[partition];
    if (log === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION');
    return log;
  }

  topicId(topic: string): string {
    return this.#topicIds.get(topic) ?? '';
  }

  /** Deleted and made anew, with the same settings. */
  remake(topic: Topic): void {
    this.#remade += 1;
    this.#topicIds.set(topic, topicId(topic, 1 + this.#remade));
    for (const log of this.partitionsOf(topic)) log.reset();
  }

  /** Somebody else's append; the world's publishers and operators use it. */
  produce(topic: string, partition: number, records: readonly NewStored[]): number {
    const log = this.log(topic, partition);
    return log.append(records, this.clockOf(log));
  }

  newProducerId(): number {
    this.#producerIds += 1;
    return this.#producerIds;
  }

  group(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      // Any other group is of custodians, whose topic has one partition.
      group = new Group(this.scheduler, () =>
        id === GROUP ? this.partitionsOf(TOPICS.samples).length : 1,
      );
      this.#groups.set(id, group);
    }
    return group;
  }

  committed(group: string, topic: string, partition: number): number | undefined {
    return this.#offsets.get(`${group}/${topic}/${partition}`);
  }

  setCommitted(group: string, topic: string, partition: number, offset: number | undefined): void {
    if (offset === undefined) this.#offsets.delete(`${group}/${topic}/${partition}`);
    else this.#offsets.set(`${group}/${topic}/${partition}`, offset);
  }
}

/** Of the form that Kafka's tools print. */
function topicId(topic: string, life: number): string {
  return createHash('md5').update(`${topic}/${life}`).digest('base64url');
}
