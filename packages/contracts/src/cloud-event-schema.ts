/** One JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

// CloudEvents §3.1 and §3.2, as `@residency/cloudevents` reads the JSON format.
const NAME = '^(?:[a-z0-9]{1,64}|data_base64)$';
export const TEXT = String.raw`^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]*$`;
const MEDIA_TYPE = String.raw`^[\w!#$%&'*+.^\x60|~\-]+/[\w!#$%&'*+.^\x60|~\-]+(?: *;(?:[ -~]*[!-~])?)?$`;
/** JSON format §3.1.1: the subtype is `json` or ends with `+json`. */
const JSON_TYPE = '^[^;]*[/+][Jj][Ss][Oo][Nn] *(?:;|$)';
const TIMESTAMP = String.raw`^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+\-](?:[01]\d|2[0-3]):[0-5]\d)$`;
/** RFC 4648 §4, padded, unused bits zero. */
const BASE64 =
  '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$';
const MAX_ATTRIBUTES = 128;

export const text = { type: 'string', pattern: TEXT };
export const filled = { ...text, minLength: 1 };
export const unset = { const: null };
export const orUnset = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, unset] });
export const attribute = {
  description: 'An extension attribute. null: not set.',
  anyOf: [
    text,
    { type: 'boolean' },
    { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
    unset,
  ],
};

export const mediaType = { type: 'string', pattern: MEDIA_TYPE };
export const timestamp = { type: 'string', pattern: TIMESTAMP };
export const base64 = { type: 'string', contentEncoding: 'base64', pattern: BASE64 };
/** The members of every event: `$defs/cloudevent` of the schema files. */
export const ENVELOPE = {
  type: 'object',
  properties: {
    specversion: { const: '1.0' },
    id: filled,
    source: filled,
    type: filled,
    datacontenttype: orUnset(mediaType),
    dataschema: orUnset(filled),
    subject: orUnset(filled),
    time: orUnset(timestamp),
    data: true,
    data_base64: orUnset(base64),
  },
  required: ['specversion', 'id', 'source', 'type'],
  propertyNames: { pattern: NAME },
  additionalProperties: attribute,
  maxProperties: MAX_ATTRIBUTES + 2,
  // §3.1.1: `data` that its type does not declare to be JSON is a string; `null` is no data.
  if: {
    required: ['datacontenttype'],
    properties: { datacontenttype: { type: 'string', not: { pattern: JSON_TYPE } } },
  },
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
  then: { properties: { data: orUnset({ type: 'string' }) } },
};
export const ONE_DATA = { oneOf: [{ required: ['data'] }, { required: ['data_base64'] }] };

interface EventParts {
  /** Absent: no reader uses it. */
  readonly data?: JsonSchema;
  readonly extensions?: Readonly<Record<string, JsonSchema>>;
  /** The extension attributes that must be there. */
  readonly required?: readonly string[];
}

/** A CloudEvent in the JSON format: `data`, or `data_base64` with the same JSON in it. */
export function jsonEvent(
  type: string,
  { data, extensions = {}, required }: EventParts = {},
): JsonSchema {
  if (data === undefined)
    return {
      $ref: '#/$defs/cloudevent',
      properties: { type: { const: type }, ...extensions },
      $defs: { cloudevent: ENVELOPE },
    };
  const ofData = { $ref: `#/$defs/${type}.data` };
  return {
    $ref: '#/$defs/cloudevent',
    properties: {
      type: { const: type },
      ...extensions,
      data: ofData,
      data_base64: {
        type: 'string',
        contentEncoding: 'base64',
        contentMediaType: 'application/json',
        contentSchema: ofData,
      },
    },
    ...(required === undefined ? {} : { required }),
    ...ONE_DATA,
    $defs: { cloudevent: ENVELOPE, ...defsOf(data), [`${type}.data`]: withoutDefs(data) },
  };
}

/**
 * One of several events, each under the name of its type. The file contains the `$defs` of all.
 * `inRecord`: what a record has beyond the event as it is sent.
 */
export function oneOf(
  variants: Readonly<Record<string, JsonSchema>>,
  inRecord: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const shared = Object.values(variants).flatMap((variant) => Object.entries(defsOf(variant)));
  const own = Object.entries(variants).map(([type, variant]) => [type, withoutDefs(variant)]);
  return {
    oneOf: Object.keys(variants).map((type) => ({ $ref: `#/$defs/${type}`, ...inRecord[type] })),
    $defs: Object.fromEntries([...shared, ...own]),
  };
}

function defsOf({ $defs }: JsonSchema): object {
  return typeof $defs === 'object' && $defs !== null ? $defs : {};
}

function withoutDefs(schema: JsonSchema): JsonSchema {
  const { $defs: _, ...body } = schema;
  return body;
}
