import { createHmac, hash } from 'node:crypto';

/** Name, value, name, value …; names in lower case. */
type FlatHeaders = readonly string[];

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface RequestToSign {
  readonly method: string;
  /** As it is sent: each segment percent-encoded once, no query. */
  readonly path: string;
  /** All of them are signed; `host` and `x-amz-date` must be among them. */
  readonly headers: FlatHeaders;
  /** Of the body, lower-case hex. */
  readonly payloadSha256: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const TERMINATOR = 'aws4_request';

/**
 * Signs requests to one region and service by AWS Signature Version 4, S3's flavour: the path is
 * encoded once and never normalised. The signing key of a day is derived once.
 */
export class Signer {
  readonly #region: string;
  readonly #service: string;
  /** What the key below was derived from. */
  #day = '';
  #secret = '';
  #key: Buffer = Buffer.alloc(0);

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  /** The value of `authorization`. `time`: that of the header `x-amz-date`. */
  authorization(request: RequestToSign, credentials: Credentials, time: string): string {
    const day = time.slice(0, 8);
    const scope = `${day}/${this.#region}/${this.#service}/${TERMINATOR}`;
    const { lines, names } = canonicalHeaders(request.headers);
    const canonical = `${request.method}\n${request.path}\n\n${lines}\n${names}\n${request.payloadSha256}`;
    const signature = createHmac('sha256', this.#keyOf(day, credentials.secretAccessKey))
      .update(`${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonical)}`)
      .digest('hex');
    return `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  }

  #keyOf(day: string, secret: string): Buffer {
    if (day !== this.#day || secret !== this.#secret) {
      this.#key = [day, this.#region, this.#service, TERMINATOR].reduce(
        (key, part) => createHmac('sha256', key).update(part).digest(),
        Buffer.from(`AWS4${secret}`),
      );
      this.#day = day;
      this.#secret = secret;
    }
    return this.#key;
  }
}

/** The value of `x-amz-date`: `20261129T105552Z`. */
export function amzDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

/**
 * A key as the path of a request has it: everything but unreserved characters and slashes encoded
 * (RFC 3986 §2.3).
 */
export function encodePath(key: string): string {
  if (/^[A-Za-z0-9_.~/-]*$/.test(key)) return key;
  return encodeURIComponent(key).replaceAll(/%2F|[!'()*]/g, (found) =>
    found === '%2F' ? '/' : `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalHeaders(headers: FlatHeaders): { lines: string; names: string } {
  let lines = '';
  let names = '';
  let previous = '';
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (name < previous) return canonicalHeaders(sorted(headers));
    lines += `${name}:${folded(value)}\n`;
    names += at === 0 ? name : `;${name}`;
    previous = name;
  }
  return { lines, names };
}

function sorted(headers: FlatHeaders): FlatHeaders {
  return Array.from({ length: headers.length / 2 }, (_, at) => headers.slice(2 * at, 2 * at + 2))
    .toSorted(([one = ''], [other = '']) => (one < other ? -1 : 1))
    .flat();
}

/** White space around a value does not count, and within it is one blank. */
function folded(value: string): string {
  return /^[ \t]|[ \t]$|[ \t]{2}|\t/.test(value)
    ? value.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '')
    : value;
}
