import {
  TOPICS,
  encodeAuditEvent,
  encodeQuarantinePointer,
  formatPosition,
} from '@residency/contracts';
import type { AuditEvent, NewRecord, QuarantinePointer, Topic } from '@residency/contracts';
import type { Settlement } from '@residency/routing';
import { recordBytes } from '../to-log-record.ts';

// kafkajs makes one record batch of all records of a send for a partition; brokers take 1 MB of them by default.
const SEND_BYTES = 512 * 1024;

/** Records of one partition of one topic, few enough for one send. */
export interface Send {
  readonly topic: Topic;
  readonly records: readonly NewRecord[];
}

/**
 * What a batch's settlements append, in order. Encoding checks each event's size: a transaction that holds a record its
 * topic does not take can never commit and would block the partition for ever.
 */
export function packSettlement(settlements: readonly Settlement[]): Send[] {
  const pointers = settlements.flatMap(({ pointer }) =>
    pointer === undefined ? [] : [pointerRecord(pointer)],
  );
  return [
    ...sendsOf(
      TOPICS.audit,
      settlements.map(({ event }) => auditRecord(event)),
    ),
    ...sendsOf(TOPICS.quarantine, pointers),
  ];
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

function auditRecord(event: AuditEvent): NewRecord {
  return {
    key: Buffer.from(event.data.submission ?? formatPosition(event.position)),
    headers: contentType('application/cloudevents+json'),
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
