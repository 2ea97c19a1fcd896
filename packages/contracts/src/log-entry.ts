import { encodeKafkaStructured } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import type { PolicyDocument } from '@residency/residency';
import { encodeAuditEvent } from './audit-event.ts';
import type { AuditEvent } from './audit-event.ts';
import {
  consentCloudEvent,
  readConsentEvent,
  readSubjectLink,
  subjectLinkCloudEvent,
} from './consent-event.ts';
import { TICK_KEY, TOPICS } from './log-record.ts';
import type { NewRecord, Topic } from './log-record.ts';
import { formatPosition } from './position.ts';
import { encodeQuarantinePointer } from './quarantine-pointer.ts';
import type { QuarantinePointer } from './quarantine-pointer.ts';
import { withSalt } from './salted.ts';
import { CONSENT_TICK, POLICY_PUBLISHED, POLICY_TICK } from './vocabulary.ts';

/**
 * A record with the topic and partition to which it is appended. A submission also has the id by
 * which its publisher asks for its outcome.
 */
export interface LogEntry {
  readonly topic: Topic;
  readonly record: NewRecord;
  readonly submission?: string;
}

/**
 * Throws `INVALID_CONSENT_EVENT`. Of the event only the attributes that the contract names are kept.
 * `salt`: 16 random bytes of this append, in hex. It is in the key, so that compaction keeps every
 * event, also one that a publisher sends again.
 */
export function consentEntry(event: CloudEvent, salt: string): LogEntry {
  const consent = readConsentEvent(event);
  return {
    topic: TOPICS.consents,
    record: {
      key: Buffer.from(`${consent.consentId}/${event.id}/${salt}`),
      ...encodeKafkaStructured(withSalt(consentCloudEvent(consent, event), salt)),
    },
  };
}

/**
 * Throws `INVALID_CONSENT_EVENT`. The key is the consent id alone, so that a tombstone erases the
 * link. Only the attributes that the contract names are kept.
 */
export function subjectLinkEntry(event: CloudEvent): LogEntry {
  const link = readSubjectLink(event);
  return {
    topic: TOPICS.subjects,
    record: {
      key: Buffer.from(link.consentId),
      ...encodeKafkaStructured(subjectLinkCloudEvent(link, event)),
    },
  };
}

/**
 * `eventId` differs with each publication and is in the key. Compaction keeps the last record of a
 * key, and a version published twice must keep its first append time, which decides whether it is
 * valid.
 */
export function policyEntry(document: PolicyDocument, eventId: string): LogEntry {
  const event: CloudEvent = {
    specversion: '1.0',
    id: eventId,
    source: '/residency/policy',
    type: POLICY_PUBLISHED,
    datacontenttype: 'application/json',
    extensions: {},
    data: Buffer.from(JSON.stringify(document)),
  };
  return {
    topic: TOPICS.policy,
    record: {
      key: Buffer.from(`${document.id}/${document.version}/${eventId}`),
      ...encodeKafkaStructured(event),
    },
  };
}

/** Throws as `encodeAuditEvent`. */
export function auditEntry(event: AuditEvent): LogEntry {
  return auditEntryOf({ event, value: encodeAuditEvent(event) });
}

/** The entry of an event's own bytes. Without an event, of a record that cannot be one. */
export function auditEntryOf({
  event,
  value,
}: {
  readonly event?: AuditEvent;
  readonly value: Buffer;
}): LogEntry {
  if (event === undefined)
    return { topic: TOPICS.audit, record: { key: null, headers: [], value } };
  return {
    topic: TOPICS.audit,
    record: {
      key: Buffer.from(event.data.submission ?? formatPosition(event.position)),
      headers: [['content-type', Buffer.from('application/cloudevents+json')]],
      value,
    },
  };
}

export function quarantineEntry(pointer: QuarantinePointer): LogEntry {
  return {
    topic: TOPICS.quarantine,
    record: {
      key: Buffer.from(pointer.position),
      headers: [['content-type', Buffer.from('application/json')]],
      value: encodeQuarantinePointer(pointer),
    },
  };
}

/**
 * Moves an idle consent log's watermark. Every tick has the same key, so that compaction keeps the
 * last one.
 */
export function consentTick(eventId: string): LogEntry {
  return { topic: TOPICS.consents, record: tick(CONSENT_TICK, '/residency/consents', eventId) };
}

/** Moves an idle policy log's watermark. */
export function policyTick(eventId: string): LogEntry {
  return { topic: TOPICS.policy, record: tick(POLICY_TICK, '/residency/policy', eventId) };
}

function tick(type: string, source: string, id: string): NewRecord {
  return {
    key: TICK_KEY,
    ...encodeKafkaStructured({ specversion: '1.0', id, source, type, extensions: {} }),
  };
}
