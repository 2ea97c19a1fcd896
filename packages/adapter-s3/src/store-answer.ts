/** A 2xx answer of something that is no object store: a gateway, a captive portal, a cache. */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
}

/** Header names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A header that came more than once is one list. */
export function headerOf(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/**
 * True if a 2xx answer looks like an object store's. A proxy in between may have written the
 * answer, so a match proves nothing. An answer without a match is rejected.
 */
export function isStoreAnswer(method: string, headers: AnswerHeaders): boolean {
  const length = headers['content-length'];
  // A created object has an ETag, and there is no more to say of it. Some stores call their empty
  // answer a page.
  if (method === 'PUT')
    return (
      headers['etag'] !== undefined &&
      (length === undefined ? !hasType(headers, /^\s*text\/html\b/i) : Number(length) === 0)
    );
  for (const name in headers) if (name.startsWith('x-amz-')) return true;
  return (
    !hasType(headers, /^\s*text\/html\b/i) &&
    (headers['etag'] !== undefined || hasType(headers, /\bxml\b/i))
  );
}

function hasType(headers: AnswerHeaders, type: RegExp): boolean {
  return type.test(headerOf(headers, 'content-type') ?? '');
}

/** An answer that refuses or redirects, in the shape of the SDK's errors. */
export class RefusedAnswer extends Error {
  /** The store's code, if it gave one. */
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(status: number, code = 'RefusedAnswer') {
    super(`The store answered ${status}.`);
    this.name = code;
    this.$metadata = { httpStatusCode: status };
  }
}
