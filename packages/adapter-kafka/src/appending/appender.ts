import type { NewRecord, Topic } from '@residency/contracts';
import type { Kafka } from 'kafkajs';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { recordBytes, toKafkaMessage } from '../to-log-record.ts';
import { partitionOf } from './choose-partition.ts';
import { ProducerLane } from './producer-lane.ts';
import type { Pending } from './producer-lane.ts';

export interface AppendEntry {
  readonly topic: Topic;
  readonly record: NewRecord;
}

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

/** What no topic of this system takes; a larger request the broker answers by closing the connection. */
const MAX_RECORD_BYTES = 25 * 1024 * 1024;
/** Sends on their way at once; each of them is one partition's. */
const LANES = 4;

/** Appends records, each partition's in the order given. A call that rejects may have kept any of its records. */
export class Appender {
  readonly #deps: AppenderDeps;
  readonly #lanes: readonly ProducerLane[];
  #calls = 0;

  constructor(deps: AppenderDeps) {
    this.#deps = deps;
    this.#lanes = Array.from(
      { length: LANES },
      () => new ProducerLane(deps.kafka, deps.diagnostics),
    );
  }

  async append(entries: readonly AppendEntry[]): Promise<Appended[]> {
    this.#calls += 1;
    const partitions = new Map<Topic, number>();
    for (const { topic, record } of entries) {
      if (recordBytes(record) > MAX_RECORD_BYTES) throw tooLarge(topic);
      if (!partitions.has(topic)) partitions.set(topic, await this.#deps.partitionsOf(topic));
    }
    const lines = this.#lanes.map((): Pending[] => []);
    const results = entries.map(async ({ topic, record }) => {
      const count = partitions.get(topic) ?? 1;
      // Without a key any partition will do; one for a whole call makes fewer sends.
      const partition = record.key === null ? this.#calls % count : partitionOf(record.key, count);
      const { promise, resolve, reject } = Promise.withResolvers<bigint>();
      lines[partition % LANES]?.push({
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
      this.#lanes[index]?.add(line);
    });
    return await allOf(results);
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}

/** Once all are decided: the caller may send again, and then nothing of this call must be on its way any more. */
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
