import type { Headers } from '@residency/cloudevents';
import type { LogRecord, NewRecord, Topic } from '@residency/contracts';
import type { IHeaders, Message } from 'kafkajs';

/** What is read of a message of a fetch, whoever fetched it: `headers` is the list `mend-kafkajs` puts there, which kafkajs's types do not know. */
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
  // Of the few batches in the format before Kafka 0.11 kafkajs makes messages without headers itself.
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

/** The other way: a message for `producer.send`. */
export function toKafkaMessage({ key, headers, value }: NewRecord, partition: number): Message {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { partition, key, value, headers: headers as unknown as IHeaders };
}

/** No fewer bytes than the record takes in a batch. */
export function recordBytes({ key, headers, value }: NewRecord): number {
  return headers.reduce(
    (sum, [name, content]) => sum + Buffer.byteLength(name) + content.length + 10,
    (key?.length ?? 0) + (value?.length ?? 0) + 40,
  );
}

function isList(headers: ReadableMessage['headers']): headers is Headers {
  return Array.isArray(headers);
}
