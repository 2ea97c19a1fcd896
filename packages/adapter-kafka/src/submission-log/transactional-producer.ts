import type { Kafka, Producer, Transaction } from 'kafkajs';
import type { Topic } from '@residency/contracts';
import { kafkaError } from '../kafka-error.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { toKafkaMessage } from '../to-log-record.ts';
import type { Send } from './pack-settlement.ts';

// Two transactions in a row meet CONCURRENT_TRANSACTIONS while the first completes; kafkajs's default of 300 ms would then be most of the time.
const RETRY = {
  initialRetryTime: 20,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 1_000,
  retries: 8,
} as const;

export interface ProducerPlan {
  /** One for each intake partition: whoever opens it last is the only one that can commit. */
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly group: string;
  /** The intake topic and partition whose progress is committed. */
  readonly intake: { readonly topic: string; readonly partition: number };
  /** Where a topic's records go: the cluster's name, and the partition for this intake partition. */
  readonly target: (topic: Topic) => { readonly topic: string; readonly partition: number };
}

/** All that becomes visible together. */
export interface Settling {
  readonly sends: readonly Send[];
  /** The offset after the last one settled. */
  readonly next: bigint;
  /** Called when all is sent. Throws where it must not be committed. */
  readonly beforeCommit: () => Promise<void>;
}

/**
 * The right to settle one partition. After any error of `commit` it must be closed and another one opened: its sequence numbers are
 * then not those of the broker, and a batch the broker did append could be taken for a repetition.
 */
export class TransactionalProducer {
  readonly #producer: Producer;
  readonly #plan: ProducerPlan;

  private constructor(producer: Producer, plan: ProducerPlan) {
    this.#producer = producer;
    this.#plan = plan;
  }

  /** Connects and fences: when this resolves, what an earlier owner began is committed or aborted, and none of them can commit any more. */
  static async open(kafka: Kafka, plan: ProducerPlan): Promise<TransactionalProducer> {
    const { transactionalId, transactionTimeoutMs: transactionTimeout } = plan;
    const producer = kafka.producer({
      transactionalId,
      transactionTimeout,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Every record's partition is given.
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      retry: RETRY,
    });
    try {
      await producer.connect();
      await (await producer.transaction()).abort();
      return new TransactionalProducer(producer, plan);
    } catch (error) {
      await disconnect(producer);
      throw kafkaError(error);
    }
  }

  /**
   * One transaction. Rejects with a `KafkaLogError` (`FENCED`: somebody else owns the partition) where the outcome is not known, or
   * with what `beforeCommit` threw once the transaction was aborted.
   */
  async commit(settling: Settling): Promise<void> {
    const transaction = await this.#attempt(async () => {
      const begun = await this.#producer.transaction();
      for (const each of settling.sends) await this.#send(begun, each);
      await this.#sendOffsets(begun, settling.next);
      return begun;
    });
    try {
      await settling.beforeCommit();
    } catch (error) {
      await this.#attempt(async () => {
        await transaction.abort();
      });
      throw new Withheld(error);
    }
    await this.#attempt(async () => {
      await transaction.commit();
    });
  }

  /**
   * Aborts what brokers left undecided of this producer's earlier transactions in these topics' partitions: a marker ends everything its
   * producer id began there. The record it needs for that is never visible.
   */
  async abortWhatIsOpen(topics: readonly Topic[]): Promise<void> {
    await this.#attempt(async () => {
      const transaction = await this.#producer.transaction();
      for (const topic of topics)
        await this.#send(transaction, {
          topic,
          records: [{ key: null, headers: [], value: null }],
        });
      await transaction.abort();
    });
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await disconnect(this.#producer);
  }

  // To one partition: a send that spans several brokers can append twice what one of them took and the other did not.
  async #send(transaction: Transaction, { topic: logical, records }: Send): Promise<void> {
    const { topic, partition } = this.#plan.target(logical);
    const appended = await transaction.send({
      topic,
      messages: records.map((record) => toKafkaMessage(record, partition)),
    });
    // kafkajs sends nothing, and says nothing, where the topic has no such partition.
    if (appended.some((each) => each.partition === partition && each.errorCode === 0)) return;
    throw new KafkaLogError({
      code: 'TOPIC_MISSING',
      remedy: 'stop',
      message: `Expected the topic ${topic} to have a partition ${partition} as the intake log has, found none. Compare them: residency topics check.`,
    });
  }

  async #sendOffsets(transaction: Transaction, next: bigint): Promise<void> {
    const {
      group: consumerGroupId,
      intake: { topic, partition },
    } = this.#plan;
    await transaction.sendOffsets({
      consumerGroupId,
      topics: [{ topic, partitions: [{ partition, offset: next.toString() }] }],
    });
  }

  async #attempt<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      throw kafkaError(error);
    }
  }
}

/** The transaction was aborted, surely, because `beforeCommit` threw `reason`. */
export class Withheld extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('The transaction was aborted before its commit.', { cause: reason });
    this.reason = reason;
  }
}

async function disconnect(producer: Producer): Promise<void> {
  try {
    await producer.disconnect();
  } catch {
    // Nothing more is asked of it.
  }
}
