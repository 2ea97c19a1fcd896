import { nameOf } from './attributes.ts';
import { decodeBinary, encodeBinary, onlyContentType } from './binary-mode.ts';
import type { CloudEvent } from './cloud-event.ts';
import { CloudEventError } from './cloud-event-error.ts';
import {
  BATCH_CONTENT_TYPE,
  decodeJson,
  decodeJsonBatch,
  encodeJson,
  encodeJsonBatch,
  JSON_CONTENT_TYPE,
  jsonModeOf,
} from './json-format.ts';
import { isCloudEventsType, withoutTabs } from './media-type.ts';

/**
 * The parts of a message that the HTTP binding reads and writes. Header names in any case. Repeated
 * headers must not be joined (Node: use `rawHeaders`); otherwise repetition is not detected.
 */
export interface HttpContent {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface HttpLimits {
  /**
   * The most events of a batch; one more is `BATCH_TOO_LONG`, and the rest is not read. Default:
   * any number.
   */
  readonly batchEvents?: number;
}

export interface HttpEvents {
  readonly mode: 'binary' | 'structured' | 'batch';
  /** One event; in a batch any number, also none. */
  readonly events: readonly CloudEvent[];
}

/**
 * CloudEvents HTTP binding 1.0.2, all three modes. The sender controls every byte. Anything that is
 * no event throws `CloudEventError`, in a batch with `index`. In binary mode `data` is the body
 * itself, not a copy. An empty body is no data, because HTTP cannot tell the two apart. Every
 * extension is a string.
 */
export function decodeHttp(
  { headers, body }: HttpContent,
  { batchEvents = Infinity }: HttpLimits = {},
): HttpEvents {
  const found = onlyContentType(headers.filter(([name]) => name.toLowerCase() === 'content-type'));
  const contentType = found && withoutTabs(found[1]);
  if (contentType === undefined || !isCloudEventsType(contentType)) {
    return {
      mode: 'binary',
      events: [
        decodeBinary(contentType, attributeHeaders(headers), body.length === 0 ? undefined : body),
      ],
    };
  }
  const mode = jsonModeOf(contentType);
  return {
    mode,
    events:
      mode === 'batch'
        ? decodeJsonBatch(contentType, body, batchEvents)
        : [decodeJson(contentType, body)],
  };
}

/**
 * `ce-` headers and the unchanged data (§3.1). Throws `UNSUPPORTED_MODE` if the data are
 * CloudEvents themselves.
 */
export function encodeHttpBinary(event: CloudEvent): HttpContent {
  return { headers: encodeBinary(event, 'ce-', encodeValue), body: event.data ?? Buffer.alloc(0) };
}

/** One JSON document (§3.2). */
export function encodeHttpStructured(event: CloudEvent): HttpContent {
  return { headers: [['content-type', JSON_CONTENT_TYPE]], body: encodeJson(event) };
}

/** A JSON array (§3.3); a bad event's error carries its `index`. */
export function encodeHttpBatch(events: readonly CloudEvent[]): HttpContent {
  return { headers: [['content-type', BATCH_CONTENT_TYPE]], body: encodeJsonBatch(events) };
}

function* attributeHeaders(
  headers: HttpContent['headers'],
): Generator<readonly [name: string, value: string]> {
  for (const [header, value] of headers) {
    const lower = header.toLowerCase();
    if (!lower.startsWith('ce-')) continue;
    const name = lower.slice(3);
    yield [name, decodeValue(name, value)];
  }
}

/** §3.1.3.2: space, double quote, percent and all characters outside U+0021 to U+007E. */
function encodeValue(value: string): string {
  return value.replaceAll(/[^!#$&-~]+/g, (run) => encodeURIComponent(run));
}

/**
 * §3.1.3.2: first unquotes strings (older senders), then percent-decodes once, which refuses bytes
 * that are not UTF-8.
 */
function decodeValue(name: string, value: string): string {
  try {
    // The binding forbids raw non-ASCII, and servers read it as Latin-1, so the text would silently
    // change.
    if (/^[\t -~]*$/.test(value)) return decodeURIComponent(unquote(value));
  } catch {
    // The same error as for non-ASCII.
  }
  throw new CloudEventError(
    'INVALID_ATTRIBUTE_VALUE',
    `Expected ${nameOf(name)} in printable ASCII with percent-encoded UTF-8; found another value`,
  );
}

function unquote(value: string): string {
  if (!value.includes('"')) return value;
  let text = '';
  let quoted = false;
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] === '"') quoted = !quoted;
    else if (quoted && value[at] === '\\') text += value.charAt((at += 1));
    else text += value[at];
  }
  if (quoted) throw new SyntaxError('a quoted string without its end');
  return text;
}
