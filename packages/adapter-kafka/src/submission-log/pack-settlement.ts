import { TOPICS } from '@residency/contracts';
import type { NewRecord, Topic } from '@residency/contracts';
import type { Settlement } from '@residency/routing';
import { TOPIC_IDS_HEADER, encodeTopicIds } from '../identity/topic-ids.ts';
import type { TopicIds } from '../identity/topic-ids.ts';
import { recordBytes } from '../to-log-record.ts';

// kafkajs puts all records of a send for a partition into one batch. By default brokers accept 1
// MB.
const SEND_BYTES = 512 * 1024;

/** Records of one partition of one topic, few enough for one send. */
export interface Send {
  readonly topic: Topic;
  readonly records: readonly NewRecord[];
}

/** The records that a batch's settlements append, in order. The last event carries the topics' ids. */
export function packSettlement(settlements: readonly Settlement[], ids?: TopicIds): Send[] {
  const events = settlements.map(({ audit }, index) =>
    index === settlements.length - 1 ? withIds(audit.record, ids) : audit.record,
  );
  const pointers = settlements.flatMap(({ quarantine }) =>
    quarantine === undefined ? [] : [quarantine.record],
  );
  return [...sendsOf(TOPICS.audit, events), ...sendsOf(TOPICS.quarantine, pointers)];
}

/** Divides records of one topic into sends. */
export function sendsOf(topic: Topic, records: readonly NewRecord[]): Send[] {
  const sends: { topic: Topic; records: NewRecord[] }[] = [];
  let bytes = Infinity;
  for (const record of records) {
    bytes += recordBytes(record);
    if (bytes > SEND_BYTES) {
      sends.push({ topic, records: [] });
      bytes = recordBytes(record);
    }
    sends.at(-1)?.records.push(record);
  }
  return sends;
}

/** The record with the topics' ids in a header. */
export function withIds(record: NewRecord, ids: TopicIds | undefined): NewRecord {
  if (ids === undefined || ids.size === 0) return record;
  return { ...record, headers: [...record.headers, [TOPIC_IDS_HEADER, encodeTopicIds(ids)]] };
}
