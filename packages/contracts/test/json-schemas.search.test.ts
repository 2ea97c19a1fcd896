import { decodeKafka, encodeKafkaBinary, encodeKafkaStructured } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeAuditEvent,
  decodeCustodyEvent,
  decodeObjectMetadata,
  decodeQuarantinePointer,
  decodeSiteMarker,
  encodeAuditEvent,
  encodeCustodyEvent,
  encodeObjectMetadata,
  encodeQuarantinePointer,
  encodeSiteMarker,
  formatPosition,
  isPolicyTick,
  parsePosition,
  readConsentRecord,
  readControlRecord,
  readPolicy,
  readPolicyRecord,
  readSubjectLink,
  readSubmission,
} from '../src/index.ts';
import type { LogEntry } from '../src/index.ts';
import { jsonSchemas } from '../src/json-schemas.ts';
import { ERASURE_ORDERED, HOLD_PLACED } from '../src/vocabulary.ts';
import {
  SALT,
  auditEvents,
  consentEntries,
  controlEntries,
  custodyEvents,
  objects,
  pointers,
  policies,
  policyEntries,
  positions,
  subjectEntries,
  submissions,
} from './arbitraries.ts';

const schemas = jsonSchemas();

const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowMatchingProperties: true,
});
formats.default(ajv);
for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(schema, name);

function allows(name: string, value: Json): boolean {
  if (!ajv.validate({ $ref: name }, value)) return false;
  // `contentSchema` is an annotation, which a validator does not follow: who decodes the Base64 does.
  if (!isObject(value)) return true;
  const { type, data_base64: base64 } = value;
  if (typeof type !== 'string' || typeof base64 !== 'string') return true;
  const held = ajv.getSchema(`${name}#/$defs/${type}.data`);
  return held === undefined || holds(() => held(jsonOf(Buffer.from(base64, 'base64'))) === true);
}

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

interface Format {
  readonly schema: string;
  /** As our encoders write it. */
  readonly written: fc.Arbitrary<Json>;
  /** Whether our decoder takes it; `undefined`: it refuses it for a reason that no schema can say. */
  readonly takes: (value: Json) => boolean | undefined;
}

function isObject(value: Json): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const bytesOf = (value: Json): Buffer => Buffer.from(JSON.stringify(value));
const jsonOf = (bytes: Uint8Array): Json => JSON.parse(Buffer.from(bytes).toString());

function passes(read: () => unknown): boolean {
  return holds(() => {
    read();
    return true;
  });
}

function holds(judge: () => boolean): boolean {
  try {
    return judge();
  } catch {
    return false;
  }
}

/** No schema compares two members; the description says it. */
function unlessTheyDisagree(decode: () => unknown): boolean | undefined {
  try {
    decode();
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('do not agree') ? undefined : false;
  }
}

const HEADERS = [['content-type', Buffer.from('application/cloudevents+json')]] as const;

/** A structured event as it is written, or with its data in `data`, as a person would write it. */
function structured(
  schema: string,
  entries: fc.Arbitrary<LogEntry>,
  takes: (content: { headers: typeof HEADERS; value: Buffer }) => boolean,
): Format {
  const written = fc.tuple(entries, fc.boolean()).map(([{ record }, readable]) => {
    const event = jsonOf(record.value ?? Buffer.alloc(0)) as { [name: string]: Json };
    const { data_base64: base64, ...attributes } = event;
    return typeof base64 === 'string' && readable
      ? { ...attributes, data: jsonOf(Buffer.from(base64, 'base64')) }
      : event;
  });
  return { schema, written, takes: (value) => takes({ headers: HEADERS, value: bytesOf(value) }) };
}

const isSubmission = (event: CloudEvent): boolean => {
  const read = readSubmission(event);
  return !('reason' in read) && read.sample.length > 0;
};

const FORMATS: readonly Format[] = [
  structured('consent', consentEntries, (content) =>
    passes(() => readConsentRecord({ key: null, ...content })),
  ),
  structured('subject-link', subjectEntries, (content) =>
    passes(() => readSubjectLink(decodeKafka(content))),
  ),
  structured(
    'policy-event',
    policyEntries,
    (content) =>
      readPolicyRecord({ key: null, ...content, at: 0 }) !== undefined || isPolicyTick(content),
  ),
  structured('control', controlEntries, (content) => passes(() => readControlRecord(content))),
  {
    schema: 'submission',
    written: fc.tuple(submissions, fc.boolean()).map(([event, readable]) => {
      const { value } = encodeKafkaStructured(event);
      const { data_base64: base64, ...attributes } = jsonOf(value ?? Buffer.alloc(0)) as {
        [name: string]: Json;
      };
      return readable && event.datacontenttype !== undefined
        ? { ...attributes, data: event.data?.toString() ?? '' }
        : { ...attributes, data_base64: base64 ?? null };
    }),
    takes: (value) =>
      holds(() => isSubmission(decodeKafka({ headers: HEADERS, value: bytesOf(value) }))),
  },
  {
    schema: 'submission-headers',
    written: submissions.map((event) =>
      Object.fromEntries(
        encodeKafkaBinary(event).headers.map(([name, bytes]) => [name, bytes.toString()]),
      ),
    ),
    takes: (value) =>
      holds(() => {
        const headers = Object.entries(value ?? {}).map(([name, text]): [string, Buffer] => [
          name,
          Buffer.from(String(text)),
        ]);
        return (
          isObject(value) &&
          Object.values(value).every((text) => typeof text === 'string') &&
          isSubmission(decodeKafka({ headers, value: Buffer.from('sample') }))
        );
      }),
  },
  {
    schema: 'audit-event',
    written: auditEvents.map((event) => jsonOf(encodeAuditEvent(event))),
    takes: (value) => unlessTheyDisagree(() => decodeAuditEvent(bytesOf(value))),
  },
  {
    schema: 'custody-event',
    written: custodyEvents.map((event) => jsonOf(encodeCustodyEvent(event))),
    takes: (value) => unlessTheyDisagree(() => decodeCustodyEvent(bytesOf(value))),
  },
  {
    schema: 'policy',
    written: policies.map((document) => jsonOf(bytesOf(JSON.parse(JSON.stringify(document))))),
    takes: (value) => passes(() => readPolicy(bytesOf(value))),
  },
  {
    schema: 'quarantine-pointer',
    written: pointers.map((pointer) => jsonOf(encodeQuarantinePointer(pointer))),
    takes: (value) => passes(() => decodeQuarantinePointer(bytesOf(value))),
  },
  {
    schema: 'object-metadata',
    written: objects.map((metadata) => encodeObjectMetadata(metadata)),
    takes: (value) => passes(() => decodeObjectMetadata(value as Record<string, unknown>)),
  },
  {
    schema: 'site-marker',
    written: fc
      .constantFrom({ region: 'zurich', site: 'zrh-1' }, { region: '0', site: 'a.b-c' })
      .map((identity) => jsonOf(encodeSiteMarker(identity))),
    takes: (value) =>
      Object.values(decodeSiteMarker(bytesOf(value))).every((name) => name !== '(unreadable)'),
  },
  {
    schema: 'position',
    written: positions.map(formatPosition),
    takes: (value) => typeof value === 'string' && passes(() => parsePosition(value)),
  },
];

/** What is put in the place of a value, or added beside it. */
const HOSTILE: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1,
  1.5,
  2 ** 31,
  2 ** 53,
  '',
  ' ',
  'x',
  'CH',
  'ch',
  'x'.repeat(65),
  'x'.repeat(129),
  'x'.repeat(257),
  'x'.repeat(1025),
  'x'.repeat(2001),
  '\u0000',
  'two\nlines',
  '\u202E',
  '\uFFFE',
  'Ä',
  '42',
  '042',
  '9'.repeat(20),
  'a'.repeat(64),
  'A'.repeat(64),
  '2016-02-29',
  '2015-02-29',
  '2018-04-31',
  '2018-01-01T24:00:00Z',
  '2018-01-01T00:00:60Z',
  '2018-01-01T00:00:00.000Z',
  '2018-01-01t00:00:00+23:59',
  '2018-01-01T00:00:00+24:00',
  'l/threat.samples/0/1',
  'l/threat.samples/0/01',
  'l/other/0/1',
  'l/threat.samples/0/1\n',
  'text/plain',
  'application/json',
  'a/b+json; x',
  'QQ==',
  'QR==',
  'Q',
  '1.1',
  [],
  {},
  [''],
  ['x'],
  Array.from({ length: 17 }, () => 'x'),
  { x: 1 },
  ['a'.repeat(64)],
  ['consent-0001'],
  { order: '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d', region: 'zurich' },
  '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d',
  '3F9D2C1A-6B7E-4D58-9A0C-1E2F3A4B5C6D',
  'ERASED',
];
const NAMES = [
  'extra',
  'Extra',
  'data_base65',
  '__proto',
  'subject',
  'time',
  'dataclassification',
  'dataschema',
  'reason',
  'submissions',
  'consents',
  'erasure',
  'erased',
  'ce_x',
  'ce_X',
  'ce_datacontenttype',
  'a'.repeat(65),
];

type Path = readonly (string | number)[];

function paths(value: Json, at: Path = []): Path[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [
    at,
    ...inner.flatMap(([name, member]) =>
      paths(member, [...at, Array.isArray(value) ? Number(name) : name]),
    ),
  ];
}

/** The value with what is at the path replaced; `undefined`: left out. */
function changed(
  value: Json,
  [first, ...rest]: Path,
  change: (old: Json) => Json | undefined,
): Json | undefined {
  if (first === undefined) return change(value);
  if (Array.isArray(value))
    return value.flatMap((member, index) => {
      if (index !== first) return [member];
      const after = changed(member, rest, change);
      return after === undefined ? [] : [after];
    });
  return Object.fromEntries(
    Object.entries(value as object).flatMap(([name, member]: [string, Json]) => {
      const after = name === first ? changed(member, rest, change) : member;
      return after === undefined ? [] : [[name, after]];
    }),
  );
}

const mutation: fc.Arbitrary<(value: Json) => Json | undefined> = fc
  .tuple(
    fc.nat(),
    fc.constantFrom('replace', 'remove', 'add', 'repeat'),
    fc.constantFrom(...HOSTILE),
    fc.constantFrom(...NAMES),
  )
  .map(([where, how, hostile, name]) => (value: Json) => {
    const all = paths(value);
    const path = all[where % all.length] ?? [];
    return changed(value, path, (old) => {
      if (how === 'remove') return undefined;
      if (how === 'repeat') return Array.isArray(old) ? [...old, ...old] : old;
      if (how === 'add' && typeof old === 'object' && old !== null && !Array.isArray(old))
        return { ...old, [name]: hostile };
      return hostile;
    });
  });

describe.each(FORMATS)('$schema', ({ schema, written, takes }) => {
  test('allows all that our encoders write', () => {
    fc.assert(
      fc.property(written, (value) => {
        expect(takes(value)).toBe(true);
        expect([allows(schema, value), ajv.errors]).toEqual([true, null]);
      }),
    );
  });

  test('judges a changed one as our decoder does', () => {
    fc.assert(
      fc.property(written, mutation, (value, change) => {
        const hostile = change(value);
        fc.pre(hostile !== undefined);
        const taken = takes(hostile);
        fc.pre(taken !== undefined);
        expect(`${allows(schema, hostile)}: ${JSON.stringify(hostile)}`).toBe(
          `${taken}: ${JSON.stringify(hostile)}`,
        );
      }),
      { numRuns: 300 },
    );
  });
});

const ORDER = '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d';
const control = (type: string, named: { [name: string]: Json }): Json => ({
  specversion: '1.0',
  id: 'a',
  source: '/residency/control',
  type,
  salt: SALT,
  datacontenttype: 'application/json',
  data: { act: ORDER, reason: 'asked', ...named },
});
const refused = (said: { [name: string]: Json }): Json => ({
  specversion: '1.0',
  id: 'log-1/threat.samples/0/7',
  source: '/residency/log-1/threat.samples/0',
  type: 'residency.sample.refused.v1',
  time: '2023-11-14T22:13:20.000Z',
  datacontenttype: 'application/json',
  sequence: '00000000000000000007',
  causationid: 'a'.repeat(64),
  data: {
    previous: '6',
    submission: 'a'.repeat(64),
    sampleBytes: 1,
    verdict: 'malicious',
    consentId: 'consent-0001',
    ...said,
  },
});
const erasure = { order: ORDER, region: 'zurich' };
const submissionsNamed = { submissions: ['a'.repeat(64)] };

// What few random changes come to: members that exclude or need one another.
test.each<[boolean, string, string, Json]>([
  [true, 'control', 'an order', control(ERASURE_ORDERED, submissionsNamed)],
  [false, 'control', 'an order of nothing', control(ERASURE_ORDERED, {})],
  [
    false,
    'control',
    'an order of both kinds',
    control(ERASURE_ORDERED, {
      ...submissionsNamed,
      consents: [{ consentId: 'consent-0001', before: '2026-11-02' }],
    }),
  ],
  [true, 'control', 'a hold', control(HOLD_PLACED, { consents: ['consent-0001'] })],
  [false, 'control', 'a hold of nothing', control(HOLD_PLACED, {})],
  [
    false,
    'control',
    'a hold of both kinds',
    control(HOLD_PLACED, { ...submissionsNamed, consents: ['consent-0001'] }),
  ],
  [true, 'audit-event', 'a refusal', refused({ reason: 'CONSENT_UNKNOWN' })],
  [true, 'audit-event', 'an erasure', refused({ reason: 'ERASED', erasure })],
  [false, 'audit-event', 'an erasure by no order', refused({ reason: 'ERASED' })],
  [false, 'audit-event', 'a refusal by an order', refused({ reason: 'CONSENT_UNKNOWN', erasure })],
])('says %s as our decoder does (%s: %s)', (good, schema, _, value) => {
  const takes = FORMATS.find((format) => format.schema === schema)?.takes;
  expect([allows(schema, value), takes?.(value)]).toEqual([good, good]);
});
