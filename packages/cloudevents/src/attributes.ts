import type { AttributeValue, CloudEvent } from './cloud-event.ts';
import { CloudEventError } from './cloud-event-error.ts';
import { isMediaType } from './media-type.ts';

/** The attributes of one event, before they are checked together. */
export type Attributes = Map<string, AttributeValue>;

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;
const OPTIONAL = ['datacontenttype', 'dataschema', 'subject', 'time'] as const;
const CORE: ReadonlySet<string> = new Set([...REQUIRED, ...OPTIONAL]);

// CloudEvents §3.1: lower-case letters and digits; 20 characters is a SHOULD there, 64 is the limit
// here. `data` is reserved (§3.1). The pattern excludes names like `__proto__` but not
// `constructor`, hence the null prototype below.
const NAME = /^[a-z0-9]{1,64}$/;
// CloudEvents §3.2, String: no control characters, unpaired surrogates or noncharacters. ASCII
// first: it is almost every value.
const PRINTABLE_ASCII = /^[ -~]*$/;
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
// RFC 3339 §5.6, form only: it is not checked whether the month has that day, and the value is kept
// as written.
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** A usual event has a few attributes. The limit bounds the cost of a hostile one. */
export const MAX_ATTRIBUTES = 128;

export function checkName(name: string): void {
  if (NAME.test(name) && name !== 'data') return;
  throw new CloudEventError(
    'INVALID_ATTRIBUTE_NAME',
    'Expected attribute names of 1 to 64 lower-case letters and digits, other than data; found another',
  );
}

/**
 * Adds one attribute. Throws unless its name is valid and new, and its value is in the CloudEvents
 * type system.
 */
export function addAttribute(attributes: Attributes, name: string, value: AttributeValue): void {
  checkName(name);
  if (attributes.size === MAX_ATTRIBUTES)
    throw new CloudEventError(
      'NOT_A_CLOUDEVENT',
      `Expected at most ${MAX_ATTRIBUTES} attributes; found more`,
    );
  if (attributes.has(name))
    throw new CloudEventError(
      'DUPLICATE_ATTRIBUTE',
      `Expected each attribute once; found ${nameOf(name)} again`,
    );
  const problem = CORE.has(name) ? coreProblem(name, value) : typeProblem(value);
  if (problem !== undefined)
    throw new CloudEventError(
      'INVALID_ATTRIBUTE_VALUE',
      `Expected ${nameOf(name)} to be ${problem}; found another value`,
    );
  attributes.set(name, value);
}

/** Builds an event from attributes and bytes. `data` is not copied. */
export function toCloudEvent(attributes: Attributes, data: Buffer | undefined): CloudEvent {
  const specversion = attributes.get('specversion');
  if (specversion === undefined)
    throw new CloudEventError(
      'NOT_A_CLOUDEVENT',
      'Expected a CloudEvent; found no attribute specversion',
    );
  if (specversion !== '1.0')
    throw new CloudEventError('UNSUPPORTED_SPECVERSION', 'Expected specversion 1.0; found another');
  const extensions: Record<string, AttributeValue> = Object.create(null);
  for (const [name, value] of attributes) if (!CORE.has(name)) extensions[name] = value;
  const event: { -readonly [K in keyof CloudEvent]: CloudEvent[K] } = {
    specversion,
    id: required(attributes, 'id'),
    source: required(attributes, 'source'),
    type: required(attributes, 'type'),
    extensions,
  };
  for (const name of OPTIONAL) {
    const value = attributes.get(name);
    if (typeof value === 'string') event[name] = value;
  }
  if (data !== undefined) event.data = data;
  return event;
}

/**
 * The inverse of `toCloudEvent`, under the same rules: it never writes what decoding would reject.
 */
export function attributesOf(event: CloudEvent): Attributes {
  const attributes: Attributes = new Map();
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    const value = event[name];
    if (value !== undefined) addAttribute(attributes, name, value);
  }
  for (const [name, value] of Object.entries(event.extensions))
    addAttribute(attributes, name, value);
  toCloudEvent(attributes, undefined);
  return attributes;
}

/**
 * The name of an attribute for an error message. Publishers choose the names of extensions, so
 * these are not repeated.
 */
export function nameOf(name: string): string {
  return CORE.has(name) ? name : 'an extension attribute';
}

function required(attributes: Attributes, name: string): string {
  const value = attributes.get(name);
  if (typeof value !== 'string')
    throw new CloudEventError(
      'MISSING_ATTRIBUTE',
      `Expected the required attribute ${name}; found none`,
    );
  return value;
}

function coreProblem(name: string, value: AttributeValue): string | undefined {
  if (typeof value !== 'string' || value === '') return 'a non-empty string';
  if (name === 'time') return TIMESTAMP.test(value) ? undefined : 'an RFC 3339 timestamp';
  if (name === 'datacontenttype') return isMediaType(value) ? undefined : 'a media type';
  return typeProblem(value);
}

function typeProblem(value: AttributeValue): string | undefined {
  if (typeof value === 'boolean') return undefined;
  // Also false for -0, which is not an Integer.
  if (typeof value === 'number')
    return Object.is(value, value | 0) ? undefined : 'a 32-bit integer';
  return PRINTABLE_ASCII.test(value) || !FORBIDDEN.test(value)
    ? undefined
    : 'text without control characters, unpaired surrogates and noncharacters';
}
