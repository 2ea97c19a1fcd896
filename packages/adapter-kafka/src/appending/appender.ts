import type { LogEntry, Topic } from '@residency/contracts';
import type { Kafka } from 'kafkajs';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { recordBytes, toKafkaMessage } from '../to-log-record.ts';
import { partitionOf } from './choose-partition.ts';
import { SendQueue } from './send-queue.ts';
import type { Pending } from './send-queue.ts';

export interface Appended {
  readonly partition: number;
  readonly offset: bigint;
}

export interface AppenderDeps {
  readonly kafka: Kafka;
  readonly diagnostics: KafkaDiagnostics;
  /** The cluster's name of a topic. */
  readonly nameOf: (topic: Topic) => string;
  readonly partitionsOf: (topic: Topic) => Promise<number>;
}

/**
 * Larger than any record of this system. If a request is larger, the broker closes the connection.
 */
const MAX_RECORD_BYTES = 25 * 1024 * 1024;
/** The number of concurrent sends, each to one partition. */
const QUEUES = 4;

/**
 * Appends records, each partition's in the order given. A call that rejects may have kept any of
 * its records.
 */
export class Appender {
  readonly #deps: AppenderDeps;
  readonly #queues: readonly SendQueue[];
  #calls = 0;

  constructor(deps: AppenderDeps) {
    this.#deps = deps;
    this.#queues = Array.from(
      { length: QUEUES },
      () => new SendQueue(deps.kafka, deps.diagnostics),
    );
  }

  async append(entries: readonly LogEntry[]): Promise<Appended[]> {
    this.#calls += 1;
    const partitions = new Map<Topic, number>();
    for (const { topic, record } of entries) {
      if (recordBytes(record) > MAX_RECORD_BYTES) throw tooLarge(topic);
      if (!partitions.has(topic)) partitions.set(topic, await this.#deps.partitionsOf(topic));
    }
    const lines = this.#queues.map((): Pending[] => []);
    const results = entries.map(async ({ topic, record }) => {
      const count = partitions.get(topic) ?? 1;
      // A record without a key may go to any partition. One partition for the whole call makes
      // fewer sends.
      const partition = record.key === null ? this.#calls % count : partitionOf(record.key, count);
      const { promise, resolve, reject } = Promise.withResolvers<bigint>();
      lines[partition % QUEUES]?.push({
        topic: this.#deps.nameOf(topic),
        partition,
        message: toKafkaMessage(record, partition),
        bytes: recordBytes(record),
        appended: resolve,
        failed: reject,
      });
      return { partition, offset: await promise };
    });
    lines.forEach((line, index) => {
      this.#queues[index]?.add(line);
    });
    return await allOf(results);
  }

  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }
}

/**
 * Waits until all have succeeded or failed. The caller may then send again, and no record of this
 * call is still in flight.
 */
async function allOf<T>(results: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(results);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

function tooLarge(topic: Topic): KafkaLogError {
  return new KafkaLogError({
    code: 'RECORD_TOO_LARGE',
    remedy: 'stop',
    message: `Expected a record of at most ${MAX_RECORD_BYTES} bytes for ${topic}, found a larger one. Check sizes before appending.`,
  });
}
