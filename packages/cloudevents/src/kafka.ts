import { isUtf8 } from 'node:buffer';
import { nameOf } from './attributes.ts';
import { decodeBinary, encodeBinary, onlyContentType } from './binary-mode.ts';
import type { CloudEvent, Headers, KafkaContent } from './cloud-event.ts';
import { CloudEventError } from './cloud-event-error.ts';
import { decodeJson, encodeJson, JSON_CONTENT_TYPE, jsonModeOf } from './json-format.ts';
import { isCloudEventsType, withoutTabs } from './media-type.ts';

/**
 * CloudEvents Kafka binding 1.0.2, both modes. The publisher controls every byte; anything that is
 * not an event throws `CloudEventError`. In binary mode `data` is the record's value itself, not a
 * copy, and every extension is a string, because headers have no types.
 */
export function decodeKafka({ headers, value }: KafkaContent): CloudEvent {
  const found = onlyContentType(headers.filter(([name]) => name === 'content-type'));
  const contentType = found && withoutTabs(textOf('datacontenttype', found[1]));
  if (contentType === undefined || !isCloudEventsType(contentType))
    return decodeBinary(contentType, attributeHeaders(headers), value ?? undefined);
  if (jsonModeOf(contentType) === 'batch')
    throw new CloudEventError(
      'UNSUPPORTED_MODE',
      'Expected one event a record; found the batch content type, which Kafka does not have',
    );
  if (value === null)
    throw new CloudEventError(
      'NOT_A_CLOUDEVENT',
      'Expected a structured event in the record value; found no value',
    );
  return decodeJson(contentType, value);
}

/**
 * `ce_` headers and the unchanged data (§3.2). Throws `UNSUPPORTED_MODE` if the data are
 * CloudEvents themselves; use structured mode for those.
 */
export function encodeKafkaBinary(event: CloudEvent): KafkaContent {
  return {
    headers: encodeBinary(event, 'ce_', String).map(([name, value]) => [name, Buffer.from(value)]),
    value: event.data ?? null,
  };
}

/** One JSON document in the value (§3.3). In this mode a record without data is not a tombstone. */
export function encodeKafkaStructured(event: CloudEvent): KafkaContent {
  return { headers: [['content-type', Buffer.from(JSON_CONTENT_TYPE)]], value: encodeJson(event) };
}

function* attributeHeaders(headers: Headers): Generator<readonly [name: string, value: string]> {
  for (const [header, value] of headers) {
    if (!header.startsWith('ce_')) continue;
    const name = header.slice(3);
    yield [name, textOf(name, value)];
  }
}

function textOf(name: string, bytes: Buffer): string {
  if (!isUtf8(bytes))
    throw new CloudEventError(
      'INVALID_ATTRIBUTE_VALUE',
      `Expected ${nameOf(name)} in UTF-8; found bytes that are not`,
    );
  return bytes.toString('utf8');
}
