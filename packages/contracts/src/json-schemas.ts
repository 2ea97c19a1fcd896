import { z } from 'zod';
import { NAMED_WITH, auditData, auditEnvelope } from './audit-event.ts';
import {
  ENVELOPE,
  ONE_DATA,
  TEXT,
  attribute,
  base64,
  filled,
  jsonEvent,
  mediaType,
  oneOf,
  orUnset,
  text,
  timestamp,
  unset,
} from './cloud-event-schema.ts';
import type { JsonSchema } from './cloud-event-schema.ts';
import { consentGranted, consentWithdrawn, subjectLinked } from './consent-event.ts';
import { controlData } from './control-event.ts';
import { custodyData, custodyEnvelope } from './custody-event.ts';
import { consentId, erasureAct, hex64, instant, position } from './fields.ts';
import { ATTRIBUTE_BYTES, AUDIT_EVENT_BYTES, DEFAULT_LIMITS, IDENTITY_BYTES } from './limits.ts';
import { REDRIVE_HEADER } from './log-record.ts';
import { objectMetadata } from './object-metadata.ts';
import { policyDocument } from './policy-event.ts';
import { POSITION } from './position.ts';
import { quarantinePointer } from './quarantine-pointer.ts';
import { CLASSIFICATIONS, TRACEPARENT, submissionAttributes } from './submission.ts';
import {
  CONSENT_GRANTED,
  CONSENT_TICK,
  CONSENT_WITHDRAWN,
  CONTROL_PRINCIPAL,
  ERASURE_ORDERED,
  HOLD_PLACED,
  POLICY_PUBLISHED,
  POLICY_TICK,
  SUBJECT_LINKED,
  SUBMITTED,
} from './vocabulary.ts';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * The end of every description: the differences between our readers and a validator of the schema.
 */
const BEYOND =
  'Beyond this schema, readers want JSON with one meaning (RFC 7493), and count lengths in UTF-16 code units.';

// `parseInstant` checks that the day exists in its month, leap years included.
const DAY = z.regexes.date.source.slice(1, -1);
const INSTANT = `^${DAY}(?:[Tt](?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:[Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d))?$`;

/** Named fields of the schemas, with the properties that zod cannot express. */
const names = z.registry<Record<string, unknown>>();
names.add(hex64, {
  id: 'sha256',
  description: 'SHA-256 in lower-case hex; a submission id is one.',
});
names.add(position, {
  id: 'position',
  description: '<log>/<topic>/<partition>/<offset> (docs/formats/position.md).',
});
names.add(instant, {
  id: 'instant',
  description: 'RFC 3339, or a date as 00:00Z; no leap second.',
  pattern: INSTANT,
});
names.add(consentId, {
  id: 'consentId',
  description: 'Random; the only link to a person (docs/formats/consent.md).',
});
names.add(erasureAct, {
  id: 'erasureAct',
  description: 'Names an order to erase or a hold: a UUID in lower case.',
});
for (const data of [controlData[ERASURE_ORDERED], controlData[HOLD_PLACED]])
  names.add(data, { oneOf: [{ required: ['submissions'] }, { required: ['consents'] }] });
names.add(auditData.refused, {
  if: { properties: { reason: { const: 'ERASED' } } },
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
  then: { required: ['erasure'] },
  else: { properties: { erasure: false } },
});
names.add(auditData.quarantined, {
  dependentRequired: { of: ['owner', ...NAMED_WITH], owner: ['of'] },
  if: { required: ['of'] },
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
  then: { properties: { reason: { const: 'IDENTITY_CONFLICT' } } },
});

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...body } = z.toJSONSchema(schema, { metadata: names, io: 'input' });
  return body;
}

/** The content of a schema file. */
function file(title: string, description: string, { $defs, ...body }: JsonSchema): JsonSchema {
  return { $schema: DRAFT, title, description, ...body, ...($defs === undefined ? {} : { $defs }) };
}

/** Of the logs whose ledgers have digests as leaves. */
const SALTED = {
  properties: {
    salt: {
      type: 'string',
      pattern: '^[0-9a-f]{32}$',
      description: '16 random bytes, new for each record (docs/formats/record-leaf.md).',
    },
  },
  required: ['salt'],
};

function consents(): JsonSchema {
  return file(
    'Record value of threat.consents',
    `docs/formats/consent.md. ${BEYOND} Data may also be JSON text under another datacontenttype; write it as here.`,
    oneOf(
      {
        [CONSENT_GRANTED]: jsonEvent(CONSENT_GRANTED, { data: jsonSchemaOf(consentGranted) }),
        [CONSENT_WITHDRAWN]: jsonEvent(CONSENT_WITHDRAWN, { data: jsonSchemaOf(consentWithdrawn) }),
        [CONSENT_TICK]: jsonEvent(CONSENT_TICK),
      },
      { [CONSENT_GRANTED]: SALTED, [CONSENT_WITHDRAWN]: SALTED },
    ),
  );
}

function subjects(): JsonSchema {
  return file(
    'Record value of threat.subjects',
    `docs/formats/consent.md. ${BEYOND} A record without a value erases the link.`,
    jsonEvent(SUBJECT_LINKED, { data: jsonSchemaOf(subjectLinked) }),
  );
}

const POLICY_FORM = `docs/formats/policy.md. ${BEYOND} Coverage, versions and sites are judged beyond the form: \`residency policy check\`.`;

function policies(): JsonSchema {
  return file(
    'Record value of residency.policy',
    POLICY_FORM,
    oneOf({
      [POLICY_PUBLISHED]: jsonEvent(POLICY_PUBLISHED, { data: jsonSchemaOf(policyDocument) }),
      [POLICY_TICK]: jsonEvent(POLICY_TICK),
    }),
  );
}

function control(): JsonSchema {
  const extensions = {
    ...SALTED.properties,
    authid: orUnset({
      type: 'string',
      pattern: CONTROL_PRINCIPAL.source,
      description: 'Who acted, as far as it is known.',
    }),
  };
  return file(
    'Record value of residency.control',
    `docs/formats/control.md. ${BEYOND}`,
    oneOf(
      Object.fromEntries(
        Object.entries(controlData).map(([type, data]) => [
          type,
          jsonEvent(type, { data: jsonSchemaOf(data), extensions, required: SALTED.required }),
        ]),
      ),
    ),
  );
}

/**
 * `id` repeats the position of `source` and `sequence`. A schema can express only a part of that.
 */
const AUDIT_SOURCE =
  '^/residency/[A-Za-z0-9._-]{1,64}/[A-Za-z0-9._-]{1,249}/(?:0|[1-9][0-9]{0,9})$';

function auditEvents(): JsonSchema {
  const variants = Object.entries(auditData).map(([outcome, data]): [string, JsonSchema] => {
    const type = `residency.sample.${outcome}.v1`;
    const schema = jsonSchemaOf(auditEnvelope.extend({ type: z.literal(type), data }));
    const { properties, required } = z
      .object({ properties: z.looseObject({}), required: z.array(z.string()) })
      .parse(schema);
    const judged = {
      if: { required: ['data'], properties: { data: { required: ['submission'] } } },
      // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
      then: { required: ['causationid'] },
      else: { properties: { causationid: false } },
    };
    return [
      type,
      {
        ...schema,
        properties: { ...properties, source: { type: 'string', pattern: AUDIT_SOURCE } },
        required,
        ...judged,
      },
    ];
  });
  return file(
    'Record value of residency.audit',
    `docs/formats/audit-event.md. ${BEYOND} id, source and sequence name one position, and causationid is data.submission. An event is written in RFC 8785 form, in at most ${AUDIT_EVENT_BYTES} bytes.`,
    oneOf(Object.fromEntries(variants)),
  );
}

function custodyEvents(): JsonSchema {
  return file(
    'Record value of residency.custody.<region>',
    `docs/formats/custody.md. ${BEYOND} id and sequence are one number below 2^53, source ends with data.region, and causationid is data.submission or data.order. An event is written in RFC 8785 form, in at most ${AUDIT_EVENT_BYTES} bytes.`,
    oneOf(
      Object.fromEntries(
        Object.entries(custodyData).map(([type, data]) => [
          type,
          jsonSchemaOf(custodyEnvelope.extend({ type: z.literal(type), data })),
        ]),
      ),
    ),
  );
}

/**
 * Attributes of a submission in JSON. `unset` allows null, which HTTP and Kafka headers cannot
 * express.
 */
function submissionAttributeSchemas(): Readonly<Record<string, JsonSchema>> {
  const { properties } = z
    .object({ properties: z.record(z.string(), z.looseObject({})) })
    .parse(jsonSchemaOf(submissionAttributes));
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      { maxLength: ATTRIBUTE_BYTES, pattern: TEXT, ...schema },
    ]),
  );
}

const shortAttribute = {
  ...attribute,
  anyOf: [{ ...text, maxLength: ATTRIBUTE_BYTES }, ...attribute.anyOf.slice(1)],
};
const IDENTITY = { ...filled, maxLength: IDENTITY_BYTES };
const BYTES = `The limits of attributes are bytes of UTF-8, which a schema can not count: ${IDENTITY_BYTES} for id and source, each, ${ATTRIBUTE_BYTES} for any other.`;
const REQUIRED_OF_SUBMISSION = ['usercountry', 'consentid', 'verdict'];
const TRACED = `W3C Trace Context; a value that is none (${TRACEPARENT.source}) is left out, not refused.`;

function submissions(): JsonSchema {
  const { usercountry, consentid, verdict, samplesha256, partitionkey } =
    submissionAttributeSchemas();
  const short = { ...filled, maxLength: ATTRIBUTE_BYTES };
  return file(
    'Submission in structured mode',
    `docs/formats/submission.md. ${BEYOND} ${BYTES} Whether a country is one and whether consent was given, the router decides.`,
    {
      ...ENVELOPE,
      properties: {
        ...ENVELOPE.properties,
        id: IDENTITY,
        source: IDENTITY,
        type: { const: SUBMITTED },
        datacontenttype: orUnset({ ...mediaType, maxLength: ATTRIBUTE_BYTES }),
        dataschema: orUnset(short),
        subject: orUnset(short),
        usercountry,
        consentid,
        verdict,
        ...(samplesha256 === undefined ? {} : { samplesha256: orUnset(samplesha256) }),
        ...(partitionkey === undefined ? {} : { partitionkey: orUnset(partitionkey) }),
        traceparent: { ...shortAttribute, description: TRACED },
        ...Object.fromEntries(CLASSIFICATIONS.map((name) => [name, unset])),
        data: true,
        data_base64: {
          ...base64,
          minLength: 4,
          maxLength: Math.ceil(DEFAULT_LIMITS.sampleBytes / 3) * 4,
          description: 'The sample.',
        },
      },
      required: [...ENVELOPE.required, ...REQUIRED_OF_SUBMISSION],
      additionalProperties: shortAttribute,
      ...ONE_DATA,
      // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
      then: { properties: { data: { type: 'string', minLength: 1 } } },
    },
  );
}

/** The headers of Kafka's binary mode: the record's value is the sample. */
function submissionHeaders(): JsonSchema {
  const ofSubmission = Object.entries(submissionAttributeSchemas()).map(([name, schema]) => [
    `ce_${name}`,
    schema,
  ]);
  const value = { ...text, maxLength: ATTRIBUTE_BYTES };
  return file(
    'Headers of a record of threat.samples in binary mode',
    `docs/formats/submission.md. Header values are UTF-8 text. ${BYTES} The record's value is the sample, 1 to ${DEFAULT_LIMITS.sampleBytes} bytes.`,
    {
      type: 'object',
      properties: {
        ce_specversion: { const: '1.0' },
        ce_id: IDENTITY,
        ce_source: IDENTITY,
        ce_type: { const: SUBMITTED },
        ce_time: timestamp,
        ce_dataschema: { ...value, minLength: 1 },
        ce_subject: { ...value, minLength: 1 },
        ...Object.fromEntries(ofSubmission),
        ce_traceparent: { ...value, description: TRACED },
        ...Object.fromEntries(CLASSIFICATIONS.map((name) => [`ce_${name}`, false])),
        ce_data: false,
        ce_datacontenttype: false,
        'content-type': {
          ...mediaType,
          maxLength: ATTRIBUTE_BYTES,
          not: {
            pattern:
              '^[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/[Cc][Ll][Oo][Uu][Dd][Ee][Vv][Ee][Nn][Tt][Ss]',
          },
        },
        [REDRIVE_HEADER]: {
          type: 'string',
          pattern: POSITION.source,
          description: 'The position that the record was redriven from.',
        },
      },
      required: [
        'ce_specversion',
        'ce_id',
        'ce_source',
        'ce_type',
        ...REQUIRED_OF_SUBMISSION.map((name) => `ce_${name}`),
      ],
      patternProperties: {
        '^ce_(?![a-z0-9]{1,64}$)': false,
        '^ce_(?!id$|source$)': value,
      },
      additionalProperties: { type: 'string' },
    },
  );
}

const siteName = { type: 'string', pattern: '^[a-z0-9][a-z0-9.-]{0,63}$' };
const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' };

/** Every format of docs/formats that is JSON or a set of names and values, by file name. */
export function jsonSchemas(): Readonly<Record<string, JsonSchema>> {
  return {
    submission: submissions(),
    'submission-headers': submissionHeaders(),
    consent: consents(),
    'subject-link': subjects(),
    policy: file('Policy document', POLICY_FORM, jsonSchemaOf(policyDocument)),
    'policy-event': policies(),
    'audit-event': auditEvents(),
    'custody-event': custodyEvents(),
    'quarantine-pointer': file(
      'Record value of threat.samples.quarantine',
      `docs/formats/quarantine.md. ${BEYOND}`,
      jsonSchemaOf(quarantinePointer),
    ),
    control: control(),
    'object-metadata': file(
      "Metadata of a site's object",
      `docs/formats/object.md. Values are ASCII text. ${BEYOND}`,
      jsonSchemaOf(objectMetadata),
    ),
    'site-marker': file('Site marker', `docs/formats/object.md. ${BEYOND}`, {
      type: 'object',
      properties: { region: siteName, site: siteName },
      required: ['region', 'site'],
    }),
    'encryption-context': file(
      'Encryption context of a sealed sample',
      'docs/formats/sealed-sample.md. The Encryption SDK adds nothing to it: the suite has no signature.',
      {
        type: 'object',
        properties: {
          region: siteName,
          'policy-digest': digest,
          'sample-sha256': digest,
          submission: digest,
        },
        required: ['region', 'policy-digest', 'sample-sha256', 'submission'],
        additionalProperties: false,
      },
    ),
    position: file('Position', 'docs/formats/position.md.', {
      type: 'string',
      pattern: POSITION.source,
    }),
  };
}
