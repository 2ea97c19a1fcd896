import type { Kafka, Producer, Transaction } from 'kafkajs';
import { TOPICS } from '@residency/contracts';
import type { NewRecord, Topic } from '@residency/contracts';
import { kafkaError } from '../kafka-error.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { toKafkaMessage } from '../to-log-record.ts';
import type { Send } from './pack-settlement.ts';

// The second of two transactions in a row gets CONCURRENT_TRANSACTIONS while the first completes.
// kafkajs's default of 300 ms would be most of its time.
const RETRY = {
  initialRetryTime: 20,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 1_000,
  retries: 8,
} as const;

/** The offset by which Kafka says that a group has no committed position. */
const NO_POSITION = -1n;
const NOT_KNOWN = -1n;

/** A group's position that transactions commit, under the cluster's names. */
export interface CommittedProgress {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

export interface ProducerPlan {
  /**
   * One for each thing with one owner at a time, such as an intake partition. The latest producer
   * fences all earlier ones: only it can commit.
   */
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  /** Absent: its transactions only append. */
  readonly progress?: CommittedProgress;
  /** The cluster's name of a topic, and the partition that these transactions append to. */
  readonly target: (topic: Topic) => { readonly topic: string; readonly partition: number };
}

/** The records and the position that become visible together. */
export interface Settling {
  readonly sends: readonly Send[];
  /** The offset after the last one settled; `null`: none is; absent: the position stays. */
  readonly next?: bigint | null;
  /** Called after everything was sent. Throws to prevent the commit. */
  readonly beforeCommit: () => Promise<void>;
}

/**
 * The exclusive right to commit what has one owner, such as a partition's settlements. After any
 * error of `commit` close it and open another: its sequence numbers then differ from the broker's,
 * and the broker could take a new batch for a repetition of an appended one.
 */
export class TransactionalProducer {
  readonly #producer: Producer;
  readonly #plan: ProducerPlan;

  private constructor(producer: Producer, plan: ProducerPlan) {
    this.#producer = producer;
    this.#plan = plan;
  }

  /**
   * Connects and fences. When this resolves, the transactions of earlier owners are committed or
   * aborted, and none of these owners can commit any more.
   */
  static async open(kafka: Kafka, plan: ProducerPlan): Promise<TransactionalProducer> {
    const { transactionalId, transactionTimeoutMs: transactionTimeout } = plan;
    const producer = kafka.producer({
      transactionalId,
      transactionTimeout,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Every record has an explicit partition.
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
   * Runs one transaction. Rejects with a `KafkaLogError` if the outcome is unknown (`FENCED`:
   * another owner has the partition), or with the error of `beforeCommit` once the transaction was
   * aborted. Without `sends` it must be this producer's first transaction: kafkajs does not wait with
   * a position for one that completes. Returns the offset of the last record that was sent; -1: none
   * was, or the broker did not say.
   */
  async commit(settling: Settling): Promise<bigint> {
    let last = NOT_KNOWN;
    const transaction = await this.#attempt(async () => {
      const begun = await this.#producer.transaction();
      for (const each of settling.sends) last = await this.#send(begun, each);
      if (settling.next !== undefined) await this.#sendOffsets(begun, settling.next);
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
    return last;
  }

  /**
   * Aborts the dangling transactions of this producer in these topics' partitions: an abort marker
   * ends everything that its producer id began there. The record that this needs is never visible.
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

  /**
   * Commits the dangling transaction of this producer in the quarantine: a commit marker ends
   * everything that its producer id began there. The record that this needs is a pointer of that
   * transaction again, so that pointer is there twice.
   */
  async commitOpenPointers(pointer: NewRecord): Promise<void> {
    await this.#attempt(async () => {
      const transaction = await this.#producer.transaction();
      await this.#send(transaction, { topic: TOPICS.quarantine, records: [pointer] });
      await transaction.commit();
    });
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await disconnect(this.#producer);
  }

  /**
   * Returns the offset of the last record; -1: the broker did not say. A send to one partition only:
   * if a send spans several brokers and one of them fails, the retry can append twice at the other.
   */
  async #send(transaction: Transaction, { topic: logical, records }: Send): Promise<bigint> {
    const { topic, partition } = this.#plan.target(logical);
    const appended = await transaction.send({
      topic,
      messages: records.map((record) => toKafkaMessage(record, partition)),
    });
    // If the topic has no such partition, kafkajs silently sends nothing.
    const sent = appended.find((each) => each.partition === partition && each.errorCode === 0);
    if (sent !== undefined) {
      const base = BigInt(sent.baseOffset ?? NOT_KNOWN);
      return base < 0n ? NOT_KNOWN : base + BigInt(records.length) - 1n;
    }
    throw new KafkaLogError({
      code: 'TOPIC_MISSING',
      remedy: 'stop',
      message: `Expected the topic ${topic} to have a partition ${partition}, found none. Compare them: residency topics check.`,
    });
  }

  async #sendOffsets(transaction: Transaction, next: bigint | null): Promise<void> {
    const { progress } = this.#plan;
    if (progress === undefined)
      throw new TypeError('Expected the plan of a producer that commits a position.');
    const { group: consumerGroupId, topic, partition } = progress;
    await transaction.sendOffsets({
      consumerGroupId,
      topics: [{ topic, partitions: [{ partition, offset: (next ?? NO_POSITION).toString() }] }],
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

/** The transaction was certainly aborted, because `beforeCommit` threw `reason`. */
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
    // No more is required of it.
  }
}
