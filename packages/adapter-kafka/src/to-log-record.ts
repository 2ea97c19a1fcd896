import type { Headers } from '@residency/cloudevents';
import type { LogRecord, NewRecord, Topic } from '@residency/contracts';
import type { IHeaders, Message } from 'kafkajs';

/**
 * The members of a fetched message that are read. `headers` is the list that `mend-kafkajs` sets;
 * kafkajs's types do not declare it.
 */
export interface ReadableMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: IHeaders | Headers | undefined;
}

/** `topic` is the logical one. */
export function toLogRecord(
  { offset, timestamp, key, value, headers }: ReadableMessage,
  topic: Topic,
  partition: number,
): LogRecord {
  // For the few batches in the format before Kafka 0.11, kafkajs builds messages without headers.
  return {
    topic,
    partition,
    offset: BigInt(offset),
    at: Number(timestamp),
    key,
    headers: isList(headers) ? headers : [],
    value,
  };
}

/** The inverse: a message for `producer.send`. */
export function toKafkaMessage({ key, headers, value }: NewRecord, partition: number): Message {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { partition, key, value, headers: headers as unknown as IHeaders };
}

/** An upper bound of the record's size in a batch, bytes. */
export function recordBytes({ key, headers, value }: NewRecord): number {
  return headers.reduce(
    (sum, [name, content]) => sum + Buffer.byteLength(name) + content.length + 10,
    (key?.length ?? 0) + (value?.length ?? 0) + 40,
  );
}

function isList(headers: ReadableMessage['headers']): headers is Headers {
  return Array.isArray(headers);
}
