import { encodeKafkaBinary, encodeKafkaStructured } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import type { PolicyDocument } from '@residency/residency';
import {
  CONSENT_TICK,
  consentCloudEvent,
  readConsentEvent,
  readSubjectLink,
  subjectLinkCloudEvent,
} from './consent-event.ts';
import { submissionId } from './digest.ts';
import { TOPICS } from './log-record.ts';
import type { NewRecord, Topic } from './log-record.ts';
import { POLICY_PUBLISHED, POLICY_TICK } from './policy-event.ts';

/** A record, where it is to be appended, and, for a submission, the id its publisher will ask for. */
export interface LogEntry {
  readonly topic: Topic;
  readonly record: NewRecord;
  readonly submission?: string;
}

// Unknown attributes are not stored (docs/formats/submission.md): one may name a person or a file. The last three stand here because
// their presence is a reason to refuse, which is the router's to find.
const EXTENSIONS = [
  'usercountry',
  'consentid',
  'verdict',
  'samplesha256',
  'partitionkey',
  'traceparent',
  'dataclassification',
  'dataregulation',
  'datacategory',
] as const;

/**
 * A submission as it is published: Kafka binary mode, the attributes the contract names and no others; keyed so that one
 * consent's submissions share a partition. The type is the router's to judge.
 */
export function submissionEntry(event: CloudEvent): LogEntry {
  const submission = submissionId(event);
  const { partitionkey, consentid } = event.extensions;
  const key =
    [partitionkey, consentid].find((value) => typeof value === 'string' && value !== '') ??
    submission;
  return {
    topic: TOPICS.samples,
    record: { key: Buffer.from(String(key)), ...encodeKafkaBinary(named(event)) },
    submission,
  };
}

/** Throws `INVALID_CONSENT_EVENT`. The event's id is in the key, so that compaction keeps every event; of the rest only what the contract names is kept. */
export function consentEntry(event: CloudEvent): LogEntry {
  const consent = readConsentEvent(event);
  return {
    topic: TOPICS.consents,
    record: {
      key: Buffer.from(`${consent.consentId}/${event.id}`),
      ...encodeKafkaStructured(consentCloudEvent(consent, event)),
    },
  };
}

/** Throws `INVALID_CONSENT_EVENT`. Keyed by the consent id alone: a tombstone erases the link. Only what the contract names is kept. */
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

/** The event without `subject`, `dataschema` and every extension the contract does not name. */
function named(event: CloudEvent): CloudEvent {
  const { subject: _, dataschema: __, extensions, ...core } = event;
  return {
    ...core,
    extensions: Object.fromEntries(
      EXTENSIONS.flatMap((name) =>
        extensions[name] === undefined ? [] : [[name, extensions[name]]],
      ),
    ),
  };
}

/**
 * `eventId` differs with each publication and is in the key: compaction keeps the last record of a key, and a version
 * published twice must keep its first append time, which says whether it is valid.
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

/** Moves an idle consent log's watermark. Every tick has the same key, so that compaction keeps the last one. */
export function consentTick(eventId: string): LogEntry {
  return { topic: TOPICS.consents, record: tick(CONSENT_TICK, '/residency/consents', eventId) };
}

/** The same for the policy log. */
export function policyTick(eventId: string): LogEntry {
  return { topic: TOPICS.policy, record: tick(POLICY_TICK, '/residency/policy', eventId) };
}

function tick(type: string, source: string, id: string): NewRecord {
  return {
    key: Buffer.from('tick'),
    ...encodeKafkaStructured({ specversion: '1.0', id, source, type, extensions: {} }),
  };
}
