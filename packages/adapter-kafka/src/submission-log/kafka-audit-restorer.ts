import type { AuditReading, AuditRecord, AuditRestorer, RestoredEntry } from '@residency/auditing';
import { TOPICS, auditEntryOf } from '@residency/contracts';
import type { Kafka } from 'kafkajs';
import type { IntakeReads } from './intake-reads.ts';
import { sendsOf } from './pack-settlement.ts';
import { endDangling } from './take-over.ts';
import { TransactionalProducer } from './transactional-producer.ts';
import type { ProducerPlan } from './transactional-producer.ts';

export interface KafkaAuditReadingDeps {
  readonly log: string;
  readonly partition: number;
  readonly reads: IntakeReads;
  /** The committed records of the audit partition, up to its end at the call. */
  readonly records: () => AsyncIterable<readonly AuditRecord[]>;
}

/** One partition of the audit topic. */
export class KafkaAuditReading implements AuditReading {
  readonly log: string;
  readonly partition: number;
  readonly #deps: KafkaAuditReadingDeps;

  constructor(deps: KafkaAuditReadingDeps) {
    this.log = deps.log;
    this.partition = deps.partition;
    this.#deps = deps;
  }

  records(): AsyncIterable<readonly AuditRecord[]> {
    return this.#deps.records();
  }

  async committed(): Promise<bigint | null> {
    return (await this.#deps.reads.committed()).get(this.partition) ?? null;
  }

  async intakeEnd(): Promise<bigint> {
    const bounds = await this.#deps.reads.bounds(TOPICS.samples);
    return bounds.get(this.partition)?.end ?? 0n;
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
      await endDangling(restorer.partition, producer, {
        reads: deps.reads,
        target: (topic) => deps.plan.target(topic).partition,
      });
      return restorer;
    } catch (error) {
      await restorer.close();
      throw error;
    }
  }

  async append(entries: readonly RestoredEntry[], next: bigint | null): Promise<void> {
    await this.#producer.commit({
      sends: sendsOf(
        TOPICS.audit,
        entries.map((entry) => auditEntryOf(entry).record),
      ),
      next,
      beforeCommit: () => Promise.resolve(),
    });
  }

  async setBack(next: bigint | null): Promise<void> {
    await this.#reopen();
    await this.#producer.setBack(next);
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
