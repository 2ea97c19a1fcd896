import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { defined } from '@residency/defined';
import { S3Error } from './s3-error.ts';
import { DEFAULT_MAX_SOCKETS, DEFAULT_TIMEOUTS } from './s3-settings.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { memberOf } from './site-failure.ts';
import { ForeignAnswer, isStoreAnswer } from './store-answer.ts';

export function makeClient(settings: S3SiteSettings): S3Client {
  const { connectMs, requestMs } = settings.timeouts ?? DEFAULT_TIMEOUTS;
  const agent = { keepAlive: true, maxSockets: settings.maxSockets ?? DEFAULT_MAX_SOCKETS };
  const config: S3ClientConfig & { readonly ignoreCache: true } = {
    region: settings.awsRegion,
    ...defined({ endpoint: settings.endpoint }),
    // Otherwise AWS_ENDPOINT_URL would decide where samples go.
    ignoreConfiguredEndpointUrls: true,
    forcePathStyle: settings.pathStyle,
    ...defined({ credentials: settings.credentials }),
    requestChecksumCalculation: settings.checksums,
    // The caller checks the bytes against the digest in the audit event. An SDK that withholds
    // altered bytes would hide them from it.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // `attempted` repeats.
    maxAttempts: 1,
    // Handed on to the credential providers: a file is read again each time they are asked anew.
    ignoreCache: true,
    // With `Expect: 100-continue` the SDK takes a new connection for each larger object, outside of
    // `maxSockets`.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: requestMs,
      socketTimeout: requestMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
  const client = new S3Client(config);
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      requireStoreAnswer(args.request, result.response);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'requireStoreAnswer' },
  );
  return client;
}

function requireStoreAnswer(request: unknown, response: unknown): void {
  const [status, headers] = [memberOf(response, 'statusCode'), memberOf(response, 'headers')];
  if (typeof status !== 'number' || status < 200 || status >= 300) return;
  if (!isStoreAnswer(String(memberOf(request, 'method')), { ...Object(headers) }))
    throw new ForeignAnswer();
}

/**
 * The SDK would say so only at the first request, with the endpoint in its error; and it may hold a
 * password.
 */
export function checkEndpoint({ site, endpoint }: S3SiteSettings): void {
  if (endpoint === undefined) return;
  const url = URL.parse(endpoint);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return;
  throw new S3Error({
    code: 'INVALID_SITE_SETTINGS',
    message: `Expected the settings of site ${site} to name an S3 endpoint (https://host, without user or password), found something else. Correct its endpoint; credentials have a setting of their own.`,
    remedy: 'stop',
  });
}

/** Where the SDK sends the requests of one bucket, and how it signs them. */
export interface RequestTarget {
  /** `https://host:port`. */
  readonly origin: string;
  readonly host: string;
  /** Goes before an encoded key: `/bucket/`, or `/` where the host names the bucket. */
  readonly prefix: string;
  readonly region: string;
  readonly service: string;
  readonly userAgent: string;
}

/**
 * Has the SDK prepare one request that is never sent, so that style, endpoint, partition and
 * signing region are its choice. `undefined`: it signs otherwise than by Signature Version 4 with
 * the credentials themselves (directory buckets, several regions).
 */
export async function targetOf(
  client: S3Client,
  bucket: string,
  abortSignal: AbortSignal,
): Promise<RequestTarget | undefined> {
  let prepared: unknown;
  const command = new HeadObjectCommand({ Bucket: bucket, Key: 'x' });
  command.middlewareStack.add(
    () => async (args) => {
      prepared = args.request;
      const response = { statusCode: 200, headers: { etag: '""' }, body: new Uint8Array() };
      return { response, output: { $metadata: {} } };
    },
    { step: 'deserialize', priority: 'low', name: 'prepareOnly' },
  );
  await client.send(command, { abortSignal });
  const headers = memberOf(prepared, 'headers');
  const scope = /^AWS4-HMAC-SHA256 Credential=.*\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, /.exec(
    text(headers, 'authorization'),
  );
  const path = text(prepared, 'path');
  const [region, service] = [scope?.[1], scope?.[2]];
  if (
    region === undefined ||
    service === undefined ||
    !path.endsWith('/x') ||
    memberOf(headers, 'x-amz-s3session-token') !== undefined
  )
    return undefined;
  const port = memberOf(prepared, 'port');
  return {
    origin: `${text(prepared, 'protocol')}//${text(prepared, 'hostname')}${typeof port === 'number' ? `:${port}` : ''}`,
    host: text(headers, 'host'),
    prefix: path.slice(0, -1),
    region,
    service,
    userAgent: text(headers, 'user-agent'),
  };
}

function text(from: unknown, name: string): string {
  const value = memberOf(from, name);
  return typeof value === 'string' ? value : '';
}
