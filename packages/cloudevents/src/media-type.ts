// RFC 2045 §5.1; parameters are only held to printable ASCII, which is what a header can carry unchanged.
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?: *;(?:[ -~]*[!-~])?)?$/;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

export function isMediaType(value: string): boolean {
  return MEDIA_TYPE.test(value);
}

/** `application/cloudevents` at the beginning, in any case: the sender says structured or batched mode (Kafka §3, HTTP §3). */
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

/** No charset parameter, or UTF-8. */
export function isUtf8Type(contentType: string): boolean {
  const charset = CHARSET.exec(contentType)?.[1]?.toLowerCase();
  return charset === undefined || charset === 'utf-8' || charset === 'utf8';
}
