import { encodeKafkaBinary } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { submissionId } from './digest.ts';
import type { LogEntry } from './log-entry.ts';
import { TOPICS } from './log-record.ts';

// Unknown attributes are not stored (docs/formats/submission.md): one may name a person or a file.
// The last three attributes are kept because the router refuses a record that has one of them.
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
 * A published submission: Kafka binary mode, with only the attributes that the contract names. Its
 * key puts the submissions of one consent into one partition. The router checks its type.
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

/**
 * The event without `subject`, `dataschema` and every extension that the contract does not name.
 */
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
