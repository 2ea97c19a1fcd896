import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type {
  GetObjectCommandOutput,
  PutObjectCommandInput,
  S3ClientConfig,
} from '@aws-sdk/client-s3';
import type {
  FoundBytes,
  FoundHead,
  KeyPage,
  LedgerCalls,
  NewObject,
  PutResult,
} from './s3-calls.ts';
import { S3Error } from './s3-error.ts';
import { DEFAULT_ATTEMPTS, DEFAULT_MAX_SOCKETS, DEFAULT_TIMEOUTS } from './s3-settings.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { failure, nameOf, siteFailure, statusOf } from './site-failure.ts';
import { Slots } from './slots.ts';

/** More than the SDK waits between two attempts as few as these. */
const RETRY_DELAY_MS = 6_000;

/** One site's bucket through the SDK: the only file that imports it. */
export class S3Bucket implements LedgerCalls {
  readonly #settings: S3SiteSettings;
  readonly #client: S3Client;
  readonly #slots: Slots;
  readonly #attempts: number;
  /** Of a whole call: an answer that trickles passes every other time-out. */
  readonly #deadlineMs: number;
  readonly #running = new Set<AbortController>();
  #closed = false;

  constructor(settings: S3SiteSettings) {
    const { connectMs, requestMs } = settings.timeouts ?? DEFAULT_TIMEOUTS;
    checkEndpoint(settings);
    this.#settings = settings;
    this.#client = makeClient(settings);
    this.#slots = new Slots(settings.maxSockets ?? DEFAULT_MAX_SOCKETS);
    this.#attempts = settings.attempts ?? DEFAULT_ATTEMPTS;
    this.#deadlineMs = this.#attempts * (connectMs + requestMs + RETRY_DELAY_MS);
  }

  async putIfAbsent(object: NewObject): Promise<PutResult> {
    const input = { ...this.#input(object), IfNoneMatch: '*' };
    return await this.#call(async (abortSignal) => {
      try {
        const { VersionId } = await this.#client.send(new PutObjectCommand(input), { abortSignal });
        return { put: 'created', ...version(VersionId) };
      } catch (caught) {
        if (statusOf(caught) === 412) return { put: 'exists' };
        if (statusOf(caught) === 409) return { put: 'conflict' };
        throw caught;
      }
    });
  }

  async replace(object: NewObject, etag: string | undefined): Promise<boolean> {
    const input = {
      ...this.#input(object),
      ...(etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag }),
    };
    return await this.#call(async (abortSignal) => {
      try {
        await this.#client.send(new PutObjectCommand(input), { abortSignal });
        return true;
      } catch (caught) {
        if (statusOf(caught) === 412 || statusOf(caught) === 409 || nameOf(caught) === 'NoSuchKey')
          return false;
        throw caught;
      }
    });
  }

  async head(key: string): Promise<FoundHead | undefined> {
    return await this.#call(async (abortSignal) => {
      try {
        const { Metadata, ContentLength, VersionId } = await this.#client.send(
          new HeadObjectCommand({ Bucket: this.#settings.bucket, Key: key }),
          { abortSignal },
        );
        return { metadata: { ...Metadata }, bytes: ContentLength ?? 0, ...version(VersionId) };
      } catch (caught) {
        if (statusOf(caught) === 404) return undefined;
        throw caught;
      }
    });
  }

  async get(key: string, maxBytes: number): Promise<FoundBytes | undefined> {
    return await this.#call(async (abortSignal) => {
      for (let attempt = 1; ; attempt += 1) {
        const answer = await this.#get(key, abortSignal);
        if (answer === undefined) return undefined;
        try {
          return {
            metadata: { ...answer.Metadata },
            bytes: await readBody(answer.Body, maxBytes),
            ...(answer.ETag === undefined ? {} : { etag: answer.ETag }),
          };
        } catch (caught) {
          // The SDK repeats a request, never a body that broke off.
          if (attempt >= this.#attempts || abortSignal.aborted) throw caught;
        }
      }
    });
  }

  async list(
    prefix: string,
    { from, maxKeys }: { readonly from?: string; readonly maxKeys: number },
  ): Promise<KeyPage> {
    return await this.#call(async (abortSignal) => {
      // `url`: other people's keys may hold what XML can not.
      const {
        Contents = [],
        EncodingType,
        IsTruncated,
        NextContinuationToken: next,
      } = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#settings.bucket,
          Prefix: prefix,
          MaxKeys: maxKeys,
          EncodingType: 'url',
          ...(from === undefined ? {} : { ContinuationToken: from }),
        }),
        { abortSignal },
      );
      // Half a list must not pass for a whole one, nor one page for all of them.
      if (IsTruncated === true && (next === undefined || next === from))
        throw failure(this.#settings.site, 'SITE_FAILED', 'a list that does not go on');
      return {
        keys: Contents.map(({ Key = '' }) => (EncodingType === 'url' ? decodeKey(Key) : Key)),
        ...(IsTruncated === true && next !== undefined ? { next } : {}),
      };
    });
  }

  close(): void {
    this.#closed = true;
    for (const abort of this.#running) abort.abort();
    this.#client.destroy();
  }

  #input({
    key,
    bytes,
    sha256,
    metadata,
    md5,
    contentType = 'application/octet-stream',
    cacheControl,
  }: NewObject): PutObjectCommandInput {
    return {
      Bucket: this.#settings.bucket,
      Key: key,
      Body: bytes,
      ContentType: contentType,
      Metadata: { ...metadata },
      ...(this.#settings.checksums === 'WHEN_SUPPORTED'
        ? { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }
        : {}),
      ...(md5 === undefined ? {} : { ContentMD5: md5 }),
      ...(cacheControl === undefined ? {} : { CacheControl: cacheControl }),
    };
  }

  async #get(key: string, abortSignal: AbortSignal): Promise<GetObjectCommandOutput | undefined> {
    try {
      return await this.#client.send(
        new GetObjectCommand({ Bucket: this.#settings.bucket, Key: key }),
        { abortSignal },
      );
    } catch (caught) {
      if (nameOf(caught) === 'NoSuchKey') return undefined;
      throw caught;
    }
  }

  async #call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return await this.#slots.with(async () => {
      if (this.#closed)
        throw failure(this.#settings.site, 'SITE_UNREACHABLE', 'that it was closed here');
      const abort = new AbortController();
      const timer = setTimeout(() => {
        abort.abort();
      }, this.#deadlineMs);
      this.#running.add(abort);
      try {
        return await work(abort.signal);
      } catch (caught) {
        throw siteFailure(this.#settings.site, caught);
      } finally {
        clearTimeout(timer);
        this.#running.delete(abort);
      }
    });
  }
}

function makeClient(settings: S3SiteSettings): S3Client {
  const { connectMs, requestMs } = settings.timeouts ?? DEFAULT_TIMEOUTS;
  const agent = { keepAlive: true, maxSockets: settings.maxSockets ?? DEFAULT_MAX_SOCKETS };
  const config: S3ClientConfig = {
    region: settings.awsRegion,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    // Otherwise AWS_ENDPOINT_URL would decide where samples go.
    ignoreConfiguredEndpointUrls: true,
    forcePathStyle: settings.pathStyle,
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    requestChecksumCalculation: settings.checksums,
    // Whoever reads judges the bytes by the digest in the audit event; an SDK that withholds altered bytes would hide them from it.
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: settings.attempts ?? DEFAULT_ATTEMPTS,
    retryMode: 'standard',
    // With `Expect: 100-continue` the SDK takes a new connection for each larger object, outside of `maxSockets`.
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
  return new S3Client(config);
}

/** The SDK would say so only at the first request, with the endpoint in its error; and it may hold a password. */
function checkEndpoint({ site, endpoint }: S3SiteSettings): void {
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

async function readBody(body: GetObjectCommandOutput['Body'], maxBytes: number): Promise<Buffer> {
  if (!(body instanceof Readable)) throw new TypeError('Expected a stream from the SDK.');
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(Buffer.from(piece));
    bytes += Buffer.byteLength(piece);
    // Leaving the loop destroys the stream, and with it the connection.
    if (bytes > maxBytes) break;
  }
  return Buffer.concat(pieces, bytes);
}

/** The store controls it, and it goes into audit events, whose length is limited; S3's have 1,024 bytes at most. */
function version(versionId: string | undefined): { versionId?: string } {
  return versionId !== undefined && /^[\x21-\x7e]{1,1024}$/.test(versionId) ? { versionId } : {};
}

/** As S3 encodes keys in lists: form encoding. What is not encoded so is given as it stands: it is nobody's sample. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
