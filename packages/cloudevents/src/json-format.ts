import { isUtf8 } from 'node:buffer';
import {
  addAttribute,
  attributesOf,
  checkName,
  MAX_ATTRIBUTES,
  nameOf,
  toCloudEvent,
} from './attributes.ts';
import type { Attributes } from './attributes.ts';
import type { AttributeValue, CloudEvent } from './cloud-event.ts';
import { CloudEventError } from './cloud-event-error.ts';
import { elementsOf, membersOf, stringOf } from './json-source.ts';
import { JsonTokens, MAX_JSON_TOKENS } from './json-tokens.ts';
import { declaresJson, essenceOf, isInCharset, isUtf8Type } from './media-type.ts';

// CloudEvents JSON format 1.0.2. Bytes in, bytes out; the rules for data (§3.1):
//   data_base64                          the decoded bytes; canonical, padded Base64 only
//   data, datacontenttype JSON           the UTF-8 bytes of its JSON source as it stands in the
// text: no number is rounded, no space lost
//   data, datacontenttype absent         the same, and datacontenttype becomes `application/json`
// (§3.1.2, last paragraph)
//   data, another datacontenttype        must be a string: its UTF-8 bytes; a charset other than
// UTF-8 or US-ASCII is refused, its bytes would be a guess
//   data null, another datacontenttype   no data
// Written is always data_base64: it is right for every content and gives the same bytes back.

export const JSON_CONTENT_TYPE = 'application/cloudevents+json; charset=UTF-8';
export const BATCH_CONTENT_TYPE = 'application/cloudevents-batch+json; charset=UTF-8';

/**
 * The kind of JSON document that a CloudEvents content type announces. Any other format is
 * `UNSUPPORTED_MODE`.
 */
export function jsonModeOf(contentType: string): 'structured' | 'batch' {
  const essence = essenceOf(contentType);
  if (isUtf8Type(contentType)) {
    if (essence === 'application/cloudevents+json') return 'structured';
    if (essence === 'application/cloudevents-batch+json') return 'batch';
  }
  throw new CloudEventError(
    'UNSUPPORTED_MODE',
    'Expected the CloudEvents JSON format in UTF-8; the content type announces another',
  );
}

export function decodeJson(contentType: string, body: Buffer): CloudEvent {
  return decodeEvent(textOf(contentType, body));
}

/**
 * Throws the first bad event's error with its `index`, or an error without an index if the array
 * itself is invalid or has more than `limit` events. No event beyond the limit is decoded.
 */
export function decodeJsonBatch(contentType: string, body: Buffer, limit: number): CloudEvent[] {
  const events: CloudEvent[] = [];
  for (const source of elementsOf(textOf(contentType, body))) {
    if (events.length >= limit)
      throw new CloudEventError(
        'BATCH_TOO_LONG',
        `Expected at most ${limit} events in a batch; found more`,
      );
    events.push(atIndex(events.length, () => decodeEvent(source)));
  }
  return events;
}

export function encodeJson(event: CloudEvent): Buffer {
  return Buffer.from(encodeEvent(event));
}

/** Throws the first bad event's error with its `index`. */
export function encodeJsonBatch(events: readonly CloudEvent[]): Buffer {
  return Buffer.from(
    `[${events.map((event, index) => atIndex(index, () => encodeEvent(event))).join(',')}]`,
  );
}

function decodeEvent(source: string): CloudEvent {
  const members = membersOf(source, MAX_ATTRIBUTES + 2);
  const attributes: Attributes = new Map();
  for (const [name, raw] of members) {
    if (name === 'data' || name === 'data_base64') continue;
    checkName(name);
    const value = attributeValue(name, raw);
    if (value !== undefined) addAttribute(attributes, name, value);
  }
  const data = members.get('data');
  // `null` means an unset member everywhere except in `data`, where it is a JSON value (§2.2,
  // §3.1.1).
  const base64 = members.get('data_base64') === 'null' ? undefined : members.get('data_base64');
  if (data === undefined)
    return toCloudEvent(attributes, base64 === undefined ? undefined : bytesOfBase64(base64));
  const contentType = attributes.get('datacontenttype');
  if (base64 !== undefined) {
    if (data === 'null' && contentType !== undefined && !declaresJson(String(contentType)))
      return toCloudEvent(attributes, bytesOfBase64(base64));
    throw new CloudEventError('INVALID_DATA', 'Expected data or data_base64; found both');
  }
  if (contentType === undefined) attributes.set('datacontenttype', 'application/json');
  return toCloudEvent(attributes, bytesOfData(data, String(contentType ?? 'application/json')));
}

function encodeEvent(event: CloudEvent): string {
  const members: [string, AttributeValue][] = [...attributesOf(event)];
  if (event.data !== undefined) members.push(['data_base64', event.data.toString('base64')]);
  return `{${members.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join(',')}}`;
}

/**
 * A member's value in the type system (§2.2); `null` means unset. Objects and arrays are refused
 * without parsing.
 */
function attributeValue(name: string, raw: string): AttributeValue | undefined {
  if (raw === 'null') return undefined;
  if (raw === 'true' || raw === 'false') return raw === 'true';
  if (raw.startsWith('"')) return stringOf(raw);
  // "Only the integer component": neither 5.0 nor 5e0. The addition turns -0 into 0.
  if (/^-?\d{1,10}$/.test(raw)) return Number(raw) + 0;
  throw new CloudEventError(
    'INVALID_ATTRIBUTE_VALUE',
    `Expected ${nameOf(name)} to be a string, a boolean or a 32-bit integer; found another value`,
  );
}

function bytesOfBase64(raw: string): Buffer {
  const text = raw.startsWith('"') ? stringOf(raw) : undefined;
  if (text !== undefined) {
    const bytes = Buffer.from(text, 'base64');
    // Buffer ignores invalid characters. Re-encoding shows whether it read all of them.
    if (bytes.toString('base64') === text) return bytes;
  }
  throw new CloudEventError(
    'INVALID_DATA',
    'Expected data_base64 to be a string of padded Base64 (RFC 4648 §4); found another value',
  );
}

function bytesOfData(raw: string, contentType: string): Buffer | undefined {
  if (declaresJson(contentType)) return Buffer.from(raw);
  // `null` is not a string representation. SDKs write it if there is no data.
  if (raw === 'null') return undefined;
  const text = raw.startsWith('"') && isUtf8Type(contentType) ? stringOf(raw) : undefined;
  const bytes = text?.isWellFormed() === true ? Buffer.from(text) : undefined;
  if (bytes !== undefined && isInCharset(contentType, bytes)) return bytes;
  throw new CloudEventError(
    'INVALID_DATA',
    'Expected data of a type other than JSON to be a string of Unicode text in UTF-8; found another value or charset (use data_base64)',
  );
}

/** RFC 8259 §8.1: UTF-8 without a byte order mark, with which no JSON value begins. */
function textOf(contentType: string, body: Buffer): string {
  if (!new JsonTokens().add(body)) {
    throw new CloudEventError(
      'TOO_MANY_TOKENS',
      `Expected at most ${MAX_JSON_TOKENS} values and names in a JSON event or batch; found more. Use data_base64 or binary mode for such data, or smaller batches`,
    );
  }
  if (!isUtf8(body) || !isInCharset(contentType, body))
    throw new CloudEventError(
      'NOT_A_CLOUDEVENT',
      'Expected JSON in UTF-8, or in US-ASCII where the content type says so; found bytes that are not',
    );
  return body.toString('utf8');
}

function atIndex<T>(index: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof CloudEventError ? error.at(index) : error;
  }
}
