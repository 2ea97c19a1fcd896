import {
  TOPICS,
  encodeAuditEvent,
  encodeQuarantinePointer,
  formatPosition,
} from '@residency/contracts';
import type { AuditEvent, NewRecord, QuarantinePointer, Topic } from '@residency/contracts';
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

/**
 * The records that a batch's settlements append, in order. Encoding checks each event's size: a
 * transaction with a record that its topic refuses can never commit, and would block the partition
 * for ever. The last event carries the topics' ids.
 */
export function packSettlement(settlements: readonly Settlement[], ids?: TopicIds): Send[] {
  const pointers = settlements.flatMap(({ pointer }) =>
    pointer === undefined ? [] : [pointerRecord(pointer)],
  );
  const events = settlements.map(({ event }, index) =>
    auditRecord(event, index === settlements.length - 1 ? ids : undefined),
  );
  return [...sendsOf(TOPICS.audit, events), ...sendsOf(TOPICS.quarantine, pointers)];
}

function sendsOf(topic: Topic, records: readonly NewRecord[]): Send[] {
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

function auditRecord(event: AuditEvent, ids: TopicIds | undefined): NewRecord {
  return {
    key: Buffer.from(event.data.submission ?? formatPosition(event.position)),
    headers: [
      ...contentType('application/cloudevents+json'),
      ...(ids === undefined || ids.size === 0
        ? []
        : [[TOPIC_IDS_HEADER, encodeTopicIds(ids)] as const]),
    ],
    value: encodeAuditEvent(event),
  };
}

function pointerRecord(pointer: QuarantinePointer): NewRecord {
  return {
    key: Buffer.from(pointer.position),
    headers: contentType('application/json'),
    value: encodeQuarantinePointer(pointer),
  };
}

function contentType(type: string): NewRecord['headers'] {
  return [['content-type', Buffer.from(type)]];
}
