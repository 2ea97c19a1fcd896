import { addAttribute, attributesOf, toCloudEvent } from './attributes.ts';
import type { Attributes } from './attributes.ts';
import type { CloudEvent } from './cloud-event.ts';
import { CloudEventError } from './cloud-event-error.ts';
import { isCloudEventsType } from './media-type.ts';

/**
 * The content type of a message. Throws if there are two, because two readers could choose
 * different modes.
 */
export function onlyContentType<T>(values: readonly T[]): T | undefined {
  if (values.length > 1)
    throw new CloudEventError(
      'DUPLICATE_ATTRIBUTE',
      'Expected one content type header; found several',
    );
  return values[0];
}

/**
 * The common part of binary mode in both bindings: names and values as in their headers, without
 * prefix and encoding.
 */
export function decodeBinary(
  contentType: string | undefined,
  headers: Iterable<readonly [name: string, value: string]>,
  data: Buffer | undefined,
): CloudEvent {
  const attributes: Attributes = new Map();
  if (contentType !== undefined) addAttribute(attributes, 'datacontenttype', contentType);
  for (const [name, value] of headers) {
    // HTTP §3.1.1, Kafka §3.2.1: only the content type header carries it. A second place could
    // contradict it.
    if (name === 'datacontenttype')
      throw new CloudEventError(
        'INVALID_ATTRIBUTE_NAME',
        'Expected datacontenttype in the content type header; found a header of its own',
      );
    addAttribute(attributes, name, value);
  }
  return toCloudEvent(attributes, data);
}

/** The inverse: the header of each attribute, and its canonical string (§3.2: `true`, `-5`). */
export function encodeBinary(
  event: CloudEvent,
  prefix: string,
  encode: (value: string) => string,
): [header: string, value: string][] {
  if (event.datacontenttype !== undefined && isCloudEventsType(event.datacontenttype)) {
    throw new CloudEventError(
      'UNSUPPORTED_MODE',
      'Expected no CloudEvents type as datacontenttype in binary mode, where it would announce structured mode; found one, use structured mode',
    );
  }
  return Array.from(attributesOf(event), ([name, value]) =>
    name === 'datacontenttype'
      ? ['content-type', String(value)]
      : [`${prefix}${name}`, encode(String(value))],
  );
}
