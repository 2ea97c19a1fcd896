import type { Kafka, Message, Producer } from 'kafkajs';
import pLimit from 'p-limit';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { kafkaError } from '../kafka-error.ts';

/** A record that waits to be sent to one partition. */
export interface Pending {
  /** The cluster's name. */
  readonly topic: string;
  readonly partition: number;
  readonly message: Message;
  readonly bytes: number;
  readonly appended: (offset: bigint) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * The largest send, except for a single larger record. Below the default `max.message.bytes` of 1
 * MiB, because all of it becomes one batch.
 */
const SEND_BYTES = 512 * 1024;

/**
 * Sends to one partition at a time, with all records that wait for it. Records of a failed send may
 * be in the log, so its producer is replaced: kafkajs resets the sequence number, and the broker
 * would take the next batch for a repetition of the one that it kept.
 */
export class SendQueue {
  readonly #kafka: Kafka;
  readonly #diagnostics: KafkaDiagnostics;
  readonly #mutex = pLimit(1);
  readonly #lines = new Map<string, Pending[]>();
  #producer: Producer | undefined;

  constructor(kafka: Kafka, diagnostics: KafkaDiagnostics) {
    this.#kafka = kafka;
    this.#diagnostics = diagnostics;
  }

  add(pending: readonly Pending[]): void {
    for (const each of pending) {
      const partition = `${each.topic}/${each.partition}`;
      const line = this.#lines.get(partition);
      if (line === undefined) this.#lines.set(partition, [each]);
      else line.push(each);
    }
    void this.#mutex(async () => {
      while (this.#lines.size > 0) await this.#send(this.#take());
    });
  }

  /** Resolves once everything added was sent or failed. */
  async close(): Promise<void> {
    await this.#mutex(() => this.#dropProducer());
  }

  /**
   * Takes records of the next partition, up to one send. The rest of that partition's records wait
   * for its next turn.
   */
  #take(): Pending[] {
    const [turn] = this.#lines;
    if (turn === undefined) return [];
    const [partition, line] = turn;
    let count = 0;
    for (let bytes = 0; count < line.length; count += 1) {
      bytes += line[count]?.bytes ?? 0;
      if (count > 0 && bytes > SEND_BYTES) break;
    }
    this.#lines.delete(partition);
    if (count < line.length) this.#lines.set(partition, line.slice(count));
    return line.slice(0, count);
  }

  async #send(taken: readonly Pending[]): Promise<void> {
    const [first] = taken;
    if (first === undefined) return;
    try {
      this.#producer ??= await this.#open();
      const [sent] = await this.#producer.send({
        topic: first.topic,
        acks: -1,
        messages: taken.map(({ message }) => message),
      });
      const base = BigInt(sent?.baseOffset ?? -1);
      if (base < 0n)
        throw new Error(
          'Expected the broker to return the offsets of the records, found none. Report the defect.',
        );
      taken.forEach(({ appended }, index) => {
        appended(base + BigInt(index));
      });
    } catch (cause) {
      const error = kafkaError(cause, first.topic);
      for (const { failed } of taken) failed(error);
      await this.#dropProducer();
    }
  }

  async #open(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => statedPartition,
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect();
      throw error;
    }
    return producer;
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch((error: unknown) => {
      this.#diagnostics.debug('A Kafka producer did not close cleanly.', { error });
    });
  }
}

function statedPartition({ message: { partition } }: { readonly message: Message }): number {
  if (partition === undefined) throw new Error('Expected every message to state its partition.');
  return partition;
}
