import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { listening } from './tiny-store.ts';

export interface ReceivedRequest {
  readonly method: string;
  /** As it was sent, with the query if any. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

export interface Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export const ACCOUNT: Account = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtn/FEMI' };
export const AWS_REGION = 'eu-central-2';

/** Hop-by-hop or free to change on the way; everything else has to be signed. */
const UNSIGNED = new Set(['authorization', 'cache-control', 'connection', 'user-agent', 'accept']);
const SKEW_MS = 15 * 60_000;

/**
 * `undefined` if the request is signed right (AWS Signature Version 4, S3), otherwise the code that
 * S3 answers. Written from the specification, for requests without a query; shares nothing with the
 * adapter.
 */
export function refusalOf(
  { method, target, headers, body }: ReceivedRequest,
  account: Account,
  now: number,
): string | undefined {
  const value = new Map<string, string>();
  for (const [name, text] of headers) {
    if (value.has(name)) return 'InvalidRequest';
    value.set(name, text);
  }
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      value.get('authorization') ?? '',
    );
  if (parts === null) return 'AuthorizationHeaderMalformed';
  const [, keyId, day = '', region = '', service = '', signed = '', signature] = parts;
  if (keyId !== account.accessKeyId) return 'InvalidAccessKeyId';
  if (region !== AWS_REGION || service !== 's3') return 'AuthorizationHeaderMalformed';
  if (value.get('x-amz-security-token') !== account.sessionToken) return 'ExpiredToken';
  const names = signed.split(';');
  if (names.join() !== names.toSorted().join()) return 'SignatureDoesNotMatch';
  if (![...value.keys()].every((name) => UNSIGNED.has(name) || names.includes(name)))
    return 'AccessDenied';
  const time = value.get('x-amz-date') ?? '';
  if (!time.startsWith(day)) return 'SignatureDoesNotMatch';
  const at = Date.parse(
    time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  if (!(Math.abs(at - now) <= SKEW_MS)) return 'RequestTimeTooSkewed';
  const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
  if (value.get('x-amz-content-sha256') !== sha256(body)) return 'XAmzContentSHA256Mismatch';
  const request = [
    method,
    target,
    '',
    ...names.map((name) => `${name}:${(value.get(name) ?? '').trim().replaceAll(/\s+/g, ' ')}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  let key: Buffer = Buffer.from(`AWS4${account.secretAccessKey}`);
  for (const part of [day, region, service, 'aws4_request'])
    key = createHmac('sha256', key).update(part).digest();
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${day}/${region}/${service}/aws4_request\n${sha256(request)}`;
  return createHmac('sha256', key).update(toSign).digest('hex') === signature
    ? undefined
    : 'SignatureDoesNotMatch';
}

interface Stored {
  readonly body: Buffer;
  readonly headers: ReceivedRequest['headers'];
}

export interface VerifyingStoreOptions {
  readonly host?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A store in memory that answers only requests which are signed right. */
export class VerifyingStore {
  /** By `Host` and target. */
  readonly objects = new Map<string, Stored>();
  readonly received: ReceivedRequest[] = [];
  readonly refused: string[] = [];
  account = ACCOUNT;
  /** How far its clock is ahead of ours. */
  skewMs = 0;
  connections = 0;
  /** TLS connections that resumed a session. */
  resumed = 0;
  readonly #host: string;
  readonly #server: Server;

  constructor({ host = '127.0.0.1', tls }: VerifyingStoreOptions = {}) {
    this.#host = host;
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#serve(request, response);
    };
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.connections += 1;
      if (tls !== undefined && (socket as TLSSocket).isSessionReused()) this.resumed += 1;
    });
  }

  async listen(): Promise<number> {
    return await listening(this.#server, this.#host);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', rawHeaders } = request;
    const headers = Array.from(
      { length: rawHeaders.length / 2 },
      (_, at) => [(rawHeaders[2 * at] ?? '').toLowerCase(), rawHeaders[2 * at + 1] ?? ''] as const,
    );
    const received = {
      method,
      target: url,
      headers,
      body: Buffer.concat(await Array.fromAsync(request)),
    };
    this.received.push(received);
    const now = Date.now() + this.skewMs;
    response.setHeader('date', new Date(now).toUTCString());
    const refusal = refusalOf(received, this.account, now);
    if (refusal !== undefined) {
      this.refused.push(refusal);
      response.writeHead(refusal === 'ExpiredToken' ? 400 : 403, {
        'content-type': 'application/xml',
      });
      response.end(method === 'HEAD' ? undefined : `<Error><Code>${refusal}</Code></Error>`);
      return;
    }
    const name = `${request.headers.host ?? ''}${url}`;
    const found = this.objects.get(name);
    if (method === 'HEAD') {
      if (found === undefined) response.writeHead(404, { 'content-length': 0 });
      else
        response.writeHead(200, {
          etag: '"1"',
          'content-length': found.body.length,
          ...Object.fromEntries(
            found.headers.filter(([header]) => header.startsWith('x-amz-meta-')),
          ),
        });
      response.end();
      return;
    }
    if (found === undefined) this.objects.set(name, received);
    response
      .writeHead(found === undefined ? 200 : 412, {
        'content-length': 0,
        ...(found === undefined ? { etag: '"1"' } : {}),
      })
      .end();
  }
}
