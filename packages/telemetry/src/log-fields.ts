/**
 * All fields that a log line may have besides its message. None of them can hold a subject, a file
 * name, a token, a key or a sample's bytes: each value is checked against the shapes below, for
 * every caller.
 */
export interface LogFields {
  /** Any thrown value. It is written by `describeError`. */
  readonly error?: unknown;
  readonly code?: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly region?: string;
  readonly site?: string;
  readonly policy?: string;
  readonly wrappingKey?: string;
  /** `<log>/<topic>/<partition>/<offset>`. */
  readonly position?: string;
  readonly submission?: string;
  /** The trace id, 32 hex digits, from a record's W3C `traceparent`. */
  readonly trace?: string;
  readonly signal?: string;
  readonly method?: string;
  /** A route's pattern, such as `/submissions/:submission`, never a request's path. */
  readonly route?: string | undefined;
  /** Source locations from a stack: `at serve (file:///app/server.ts:1:2)`. */
  readonly at?: readonly string[];
  readonly status?: number;
  readonly port?: number;
  /** A topic's logical name. */
  readonly topic?: string;
  readonly partition?: number;
  readonly records?: number;
  readonly bytes?: number;
  readonly milliseconds?: number;
}

const code = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(value);
const name = (value: unknown): boolean =>
  typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,63}$/.test(value);
const number = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

// A message can imitate a stack line, so a location must not contain blanks or other characters of
// prose or addresses.
const PLACE =
  /^at (?:[\w$.<>#]{1,80} \(|new [\w$.]{1,80} \(|async [\w$.<>#]{1,80} \(|async )?(?:file:\/\/)?(?:node:|\/)[\w$/.+-]{1,300}:\d{1,9}:\d{1,9}\)?$/;

const CHECKS: Readonly<Record<Exclude<keyof LogFields, 'error'>, (value: unknown) => boolean>> = {
  code,
  reason: code,
  outcome: name,
  region: name,
  site: name,
  policy: name,
  wrappingKey: (value) => typeof value === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(value),
  position: (value) =>
    typeof value === 'string' &&
    /^[A-Za-z0-9._-]{1,64}\/[A-Za-z0-9._-]{1,249}\/\d{1,10}\/\d{1,19}$/.test(value),
  topic: (value) => typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,99}$/.test(value),
  submission: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  trace: (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
  signal: code,
  method: code,
  route: (value) =>
    typeof value === 'string' && /^\/(?:[a-z:*][A-Za-z-]{0,40}\/?){0,6}$/.test(value),
  at: (value) =>
    Array.isArray(value) &&
    value.length <= 8 &&
    value.every((place) => typeof place === 'string' && PLACE.test(place)),
  status: number,
  port: number,
  partition: number,
  records: number,
  bytes: number,
  milliseconds: number,
};

/** The fields that have the required shape, without `error`; the others are left out. */
export function allowedFields(fields: LogFields): Record<string, unknown> {
  const given: Readonly<Record<string, unknown>> = { ...fields };
  return Object.fromEntries(
    Object.entries(CHECKS)
      .filter(([field, fits]) => fits(given[field]))
      .map(([field]) => [field, given[field]]),
  );
}
