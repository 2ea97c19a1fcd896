import { createHash, createHmac } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  /** `http://host:port`. */
  readonly endpoint: string;
  /** As sent: percent-encoded, with the query if any. */
  readonly path: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly awsRegion: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface SignedResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const sha256 = (data: Uint8Array | string): string =>
  createHash('sha256').update(data).digest('hex');
const hmac = (key: Uint8Array | string, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest();

/**
 * One S3 request without an SDK (AWS Signature Version 4), for what tests put and look at by hand.
 */
export function signedRequest(options: SignedRequest): Promise<SignedResponse> {
  const url = new URL(options.endpoint);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: url.hostname,
        port: url.port,
        method: options.method,
        path: options.path,
        headers: signedHeaders(options, url.host),
        timeout: 300_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    sent.on('timeout', () => {
      sent.destroy(
        new Error(`Expected an answer from ${url.host}, found none in time; is the server up?`),
      );
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** The request's headers, `authorization` among them. */
export function signedHeaders(
  { method, path, body = '', headers = {}, accessKeyId, secretAccessKey, awsRegion }: SignedRequest,
  host: string,
): Record<string, string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  // `UNSIGNED-PAYLOAD`: the server need not hold the whole body to compare it.
  const payload = headers['x-amz-content-sha256'] ?? sha256(body);
  const all: Record<string, string> = {
    host,
    'x-amz-date': time,
    'x-amz-content-sha256': payload,
    'content-length': String(Buffer.byteLength(body)),
  };
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value.trim();
  const names = Object.keys(all).toSorted();
  const [resource = '/', query = ''] = path.split('?');
  const canonicalQuery =
    query === ''
      ? ''
      : query
          .split('&')
          .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
          .toSorted()
          .join('&');
  const canonical = [
    method,
    resource,
    canonicalQuery,
    ...names.map((name) => `${name}:${all[name]}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${awsRegion}/s3/aws4_request`;
  const key = scope
    .split('/')
    .reduce<Uint8Array | string>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const signature = hmac(
    key,
    ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n'),
  ).toString('hex');
  return {
    ...all,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}
