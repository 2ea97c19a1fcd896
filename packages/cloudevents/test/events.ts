import * as fc from 'fast-check';
import type { AttributeValue, CloudEvent, KafkaContent } from '../src/index.ts';
import { CLOUD_EVENT_ERROR_CODES, CloudEventError } from '../src/index.ts';

/** What CloudEvents §3.2 allows in a String. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('Euro € 😀', '"\\%20"', '%', ' ', '\u{FEFF}'),
  )
  .map((value) => value.replaceAll(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu, ''));
const filled = text.filter((value) => value !== '');
const CORE = [
  'specversion',
  'id',
  'source',
  'type',
  'datacontenttype',
  'dataschema',
  'subject',
  'time',
  'data',
];
const name = fc
  .oneof(fc.stringMatching(/^[a-z0-9]{1,20}$/), fc.constantFrom('constructor', '1', 'a'.repeat(64)))
  .filter((value) => !CORE.includes(value));
const value = fc.oneof<fc.Arbitrary<AttributeValue>[]>(
  text,
  fc.boolean(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0),
);

export const anyEvent: fc.Arbitrary<CloudEvent> = fc.record(
  {
    specversion: fc.constant('1.0' as const),
    id: filled,
    source: filled,
    type: filled,
    datacontenttype: fc.constantFrom(
      'application/json',
      'image/png',
      'text/plain; charset=utf-16',
      'application/vnd.a+json;q="x y"',
      'text/plain;',
    ),
    dataschema: filled,
    subject: filled,
    time: fc.constantFrom(
      '2018-04-05T17:31:00Z',
      '2018-04-05T17:31:00.123456789012+02:00',
      '1990-12-31t23:59:60z',
    ),
    extensions: fc.dictionary(name, value, { maxKeys: 6 }),
    data: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  },
  { requiredKeys: ['specversion', 'id', 'source', 'type', 'extensions'] },
);

/** Binary mode has no types: what Integer and Boolean become on the way. */
export function asStrings(event: CloudEvent): CloudEvent {
  return {
    ...event,
    extensions: Object.fromEntries(
      Object.entries(event.extensions).map(([key, item]) => [key, String(item)]),
    ),
  };
}

export const REQUIRED = { specversion: '1.0', id: '1', source: '/s', type: 't' } as const;

export function structured(
  json: string | Buffer,
  contentType = 'application/cloudevents+json',
): KafkaContent {
  return { headers: [['content-type', Buffer.from(contentType)]], value: Buffer.from(json) };
}

/** A structured record with the required attributes and these members, as source. */
export function withMembers(members: string): KafkaContent {
  return structured(`${JSON.stringify(REQUIRED).slice(0, -1)},${members}}`);
}

export function binary(
  headers: Readonly<Record<string, string>>,
  data: string | null = null,
): KafkaContent {
  const all = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't', ...headers };
  return {
    headers: Object.entries(all).map(([key, item]) => [key, Buffer.from(item)]),
    value: data === null ? null : Buffer.from(data),
  };
}

/** The error a step throws, which must be one of ours. */
export function failure(step: () => unknown): CloudEventError {
  try {
    step();
  } catch (error) {
    if (error instanceof CloudEventError && CLOUD_EVENT_ERROR_CODES.includes(error.code))
      return error;
    throw error;
  }
  throw new Error('Expected a CloudEventError; found none');
}
