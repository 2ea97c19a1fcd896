import { encodeKafkaBinary, encodeKafkaStructured } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import type { PolicyDocument } from '@residency/residency';
import { readConsentEvent, readSubjectLink } from './consent-event.ts';
import { submissionId } from './digest.ts';
import { TOPICS } from './log-record.ts';
import type { NewRecord, Topic } from './log-record.ts';
import { POLICY_PUBLISHED } from './policy-event.ts';

/** A record, where it is to be appended, and, for a submission, the id its publisher will ask for. */
export interface LogEntry {
  readonly topic: Topic;
  readonly record: NewRecord;
  readonly submission?: string;
}

/** A submission as it is published: Kafka binary mode; keyed so that one consent's submissions share a partition. */
export function submissionEntry(event: CloudEvent): LogEntry {
  const submission = submissionId(event);
  const { partitionkey, consentid } = event.extensions;
  const key = [partitionkey, consentid].find((value) => typeof value === 'string' && value !== '') ?? submission;
  return { topic: TOPICS.samples, record: { key: Buffer.from(String(key)), ...encodeKafkaBinary(event) }, submission };
}

/** Throws `INVALID_CONSENT_EVENT`. The event's id is in the key, so that compaction keeps every event. */
export function consentEntry(event: CloudEvent): LogEntry {
  const { consentId } = readConsentEvent(event);
  return { topic: TOPICS.consents, record: { key: Buffer.from(`${consentId}/${event.id}`), ...encodeKafkaStructured(event) } };
}

/** Throws `INVALID_CONSENT_EVENT`. Keyed by the consent id alone: a tombstone erases the link. */
export function subjectLinkEntry(event: CloudEvent): LogEntry {
  const { consentId } = readSubjectLink(event);
  return { topic: TOPICS.subjects, record: { key: Buffer.from(consentId), ...encodeKafkaStructured(event) } };
}

/**
 * `eventId` differs with each publication and is in the key: compaction keeps the last record of a key, and a version
 * published twice must keep its first append time, which says whether it is valid.
 */
export function policyEntry(document: PolicyDocument, eventId: string): LogEntry {
  const event: CloudEvent = {
    specversion: '1.0', id: eventId, source: '/residency/policy', type: POLICY_PUBLISHED, datacontenttype: 'application/json', extensions: {},
    data: Buffer.from(JSON.stringify(document)),
  };
  return { topic: TOPICS.policy, record: { key: Buffer.from(`${document.id}/${document.version}/${eventId}`), ...encodeKafkaStructured(event) } };
}
