import { isAscii } from 'node:buffer';

// RFC 2045 §5.1. Parameters need only be printable ASCII, which a header carries unchanged.
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?: *;(?:[ -~]*[!-~])?)?$/;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

export function isMediaType(value: string): boolean {
  return MEDIA_TYPE.test(value);
}

/**
 * True if the type begins with `application/cloudevents`, in any case: the sender announces
 * structured or batched mode (Kafka §3, HTTP §3).
 */
export function isCloudEventsType(contentType: string): boolean {
  return (
    contentType.slice(0, 'application/cloudevents'.length).toLowerCase() ===
    'application/cloudevents'
  );
}

/** Type and subtype in lower case, without parameters. */
export function essenceOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** JSON format §3.1.1: the media subtype is `json` or ends with `+json`. */
export function declaresJson(contentType: string): boolean {
  return /[/+]json$/.test(essenceOf(contentType));
}

/**
 * Around a parameter, HTAB is whitespace like a space (RFC 9110 §5.6.3). A CloudEvents String may
 * not contain it, so each becomes a space. In a quoted string HTAB is content; it stays, and is
 * then refused as an attribute's value.
 */
export function withoutTabs(contentType: string): string {
  return contentType.includes('\t')
    ? contentType.replaceAll(/"(?:[^"\\]|\\.)*"|\t/g, (part) => (part === '\t' ? ' ' : part))
    : contentType;
}

/**
 * True without a charset parameter, for UTF-8, and for US-ASCII, its subset. `isInCharset` checks
 * the bytes.
 */
export function isUtf8Type(contentType: string): boolean {
  const charset = charsetOf(contentType);
  return (
    charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii'
  );
}

/** True if the bytes are valid in the charset of a type that `isUtf8Type` accepts. */
export function isInCharset(contentType: string, bytes: Buffer): boolean {
  return charsetOf(contentType) !== 'us-ascii' || isAscii(bytes);
}

function charsetOf(contentType: string): string | undefined {
  return CHARSET.exec(contentType)?.[1]?.toLowerCase();
}
