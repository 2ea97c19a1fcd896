import type { Kafka, Message, Producer } from 'kafkajs';
import pLimit from 'p-limit';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { kafkaError } from '../kafka-error.ts';

/** A record that waits to be sent. */
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
 * The largest batch of a partition, except for a single larger record. Below the default
 * `max.message.bytes` of 1 MiB.
 */
const BATCH_BYTES = 512 * 1024;
/** The largest request, a batch for each partition. */
const REQUEST_BYTES = 4 * 1024 * 1024;

/**
 * Sends all records that wait for one topic in one request, while the next ones gather. Records of a
 * failed request may be in the log, so its producer is replaced: kafkajs resets the sequence
 * number, and the broker would take the next batch for a repetition of the one that it kept.
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
   * Takes a batch of each partition of the topic whose records have waited longest, up to one
   * request. What is left of a partition waits for its next turn. A record that is larger than a
   * batch goes alone, so that no other fails if the broker refuses it.
   */
  #take(): Pending[] {
    const taken: Pending[] = [];
    const left: [partition: string, line: Pending[]][] = [];
    let bytes = 0;
    for (const [partition, line] of this.#lines) {
      const [first] = line;
      if (first === undefined || bytes >= REQUEST_BYTES) break;
      const isLarge = first.bytes > BATCH_BYTES;
      if (taken.length > 0 && (isLarge || first.topic !== taken[0]?.topic)) continue;
      const batch = firstOf(line, BATCH_BYTES);
      taken.push(...batch);
      bytes += sizeOf(batch);
      this.#lines.delete(partition);
      if (batch.length < line.length) left.push([partition, line.slice(batch.length)]);
      if (isLarge) break;
    }
    for (const [partition, line] of left) this.#lines.set(partition, line);
    return taken;
  }

  async #send(taken: readonly Pending[]): Promise<void> {
    const [first] = taken;
    if (first === undefined) return;
    try {
      this.#producer ??= await this.#open();
      const sent = await this.#producer.send({
        topic: first.topic,
        acks: -1,
        messages: taken.map(({ message }) => message),
      });
      const next = new Map(
        sent.map(({ partition, baseOffset }) => [partition, BigInt(baseOffset ?? -1)]),
      );
      for (const { partition } of taken)
        if ((next.get(partition) ?? -1n) < 0n)
          throw new Error(
            'Expected the broker to return the offsets of the records, found none. Report the defect.',
          );
      for (const { partition, appended } of taken) {
        const offset = next.get(partition) ?? -1n;
        next.set(partition, offset + 1n);
        appended(offset);
      }
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

/** The first records that fit; one larger record comes alone. */
function firstOf(line: readonly Pending[], bytes: number): readonly Pending[] {
  let left = bytes;
  const end = line.findIndex((one, index) => (left -= one.bytes) < 0 && index > 0);
  return end < 0 ? line : line.slice(0, end);
}

function sizeOf(records: readonly Pending[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes, 0);
}
