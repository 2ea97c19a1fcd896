import type { AuditReading, AuditRecord, AuditRestorer, RestoredEntry } from '@residency/auditing';
import { TOPICS, auditEntryOf } from '@residency/contracts';
import type { LogRecord, Topic, TopicPartition } from '@residency/contracts';
import type { TopicIds } from '../identity/topic-ids.ts';
import type { Kafka } from 'kafkajs';
import type { IntakeReads } from './intake-reads.ts';
import { sendsOf, withIds } from './pack-settlement.ts';
import { endDangling } from './take-over.ts';
import { TransactionalProducer } from './transactional-producer.ts';
import type { ProducerPlan } from './transactional-producer.ts';

export interface KafkaAuditReadingDeps {
  readonly log: string;
  readonly partition: number;
  readonly reads: IntakeReads;
  /** A topic's committed records in this partition, up to its end at the call. */
  readonly read: (topic: Topic, from?: bigint) => AsyncIterable<readonly LogRecord[]>;
}

/** One partition of the audit topic. */
export class KafkaAuditReading implements AuditReading {
  readonly log: string;
  readonly of: TopicPartition;
  readonly #deps: KafkaAuditReadingDeps;

  constructor(deps: KafkaAuditReadingDeps) {
    this.log = deps.log;
    this.of = { topic: TOPICS.audit, partition: deps.partition };
    this.#deps = deps;
  }

  records(): AsyncIterable<readonly AuditRecord[]> {
    return this.#deps.read(TOPICS.audit);
  }

  async committed(): Promise<bigint | null> {
    return (await this.#deps.reads.committed()).get(this.of.partition) ?? null;
  }

  async *intake(from: bigint): AsyncGenerator<LogRecord> {
    const { start = 0n, end = 0n } =
      (await this.#deps.reads.bounds(TOPICS.samples)).get(this.of.partition) ?? {};
    if (from >= end) return;
    const begin = from > start ? from : start;
    for await (const records of this.#deps.read(TOPICS.samples, begin)) yield* records;
  }

  async intakeEnd(): Promise<bigint> {
    const bounds = await this.#deps.reads.bounds(TOPICS.samples);
    return bounds.get(this.of.partition)?.end ?? 0n;
  }
}

export interface KafkaAuditRestorerDeps extends KafkaAuditReadingDeps {
  readonly kafka: Kafka;
  readonly plan: ProducerPlan;
}

/**
 * One partition of the audit topic under the transactional id of the routers that settle it: opening
 * fences them, and each append is one transaction with the group's position, as a settlement is.
 */
export class KafkaAuditRestorer extends KafkaAuditReading implements AuditRestorer {
  readonly #deps: KafkaAuditRestorerDeps;
  #producer: TransactionalProducer;
  /** The topics' ids at the last settlement, if its event is still there. */
  #ids: TopicIds | undefined;

  private constructor(deps: KafkaAuditRestorerDeps, producer: TransactionalProducer) {
    super(deps);
    this.#deps = deps;
    this.#producer = producer;
  }

  /** Fences the routers of the partition and ends what they left dangling. */
  static async open(deps: KafkaAuditRestorerDeps): Promise<KafkaAuditRestorer> {
    const producer = await TransactionalProducer.open(deps.kafka, deps.plan);
    const restorer = new KafkaAuditRestorer(deps, producer);
    try {
      await endDangling(deps.partition, producer, {
        reads: deps.reads,
        target: (topic) => deps.plan.target(topic).partition,
      });
      restorer.#ids = (await deps.reads.auditTail(deps.partition)).ids;
      return restorer;
    } catch (error) {
      await restorer.close();
      throw error;
    }
  }

  /** The last record gets the ids that the last event had: what was compared before still is. */
  async append(entries: readonly RestoredEntry[], next: bigint | null): Promise<void> {
    const records = entries.map((entry) => auditEntryOf(entry).record);
    if (records.length === 0) await this.#reopen();
    await this.#producer.commit({
      sends: sendsOf(
        TOPICS.audit,
        records.map((record, index) =>
          index === records.length - 1 ? withIds(record, this.#ids) : record,
        ),
      ),
      next,
      beforeCommit: () => Promise.resolve(),
    });
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await this.#producer.close();
  }

  /** A new producer has no transaction that is still completing. */
  async #reopen(): Promise<void> {
    await this.#producer.close();
    this.#producer = await TransactionalProducer.open(this.#deps.kafka, this.#deps.plan);
  }
}
