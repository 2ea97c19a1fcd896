import type { S3Client } from '@aws-sdk/client-s3';
import { HttpPool } from './http-pool.ts';
import type { HttpAnswer, HttpPoolOptions } from './http-pool.ts';
import type { NewObject } from './s3-calls.ts';
import type { RequestTarget } from './sdk-client.ts';
import { Signer, amzDate, encodePath } from './sigv4.ts';
import { ForeignAnswer, RefusedAnswer, headerOf, isStoreAnswer } from './store-answer.ts';

/** What an answer says of an object, unchecked, as the SDK has it. */
export interface AnswerOfObject {
  readonly Metadata?: Record<string, string> | undefined;
  readonly ContentLength?: number | undefined;
  readonly VersionId?: string | undefined;
}

const META = 'x-amz-meta-';
/** Of no bytes. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** The clock's offset is corrected if it is wrong by this much; S3 refuses beyond 15 minutes. */
const MOST_SKEW_MS = 4 * 60_000;

/**
 * Create-only PUT and HEAD without the SDK, which takes eight times the CPU. Credentials, endpoint,
 * style and clock are the SDK's. Each call throws as the SDK's `send` does, or `UnreadableAnswer`.
 */
export class DirectRequests {
  readonly #client: S3Client;
  readonly #target: RequestTarget;
  readonly #checksums: boolean;
  readonly #pool: HttpPool;
  readonly #signer: Signer;

  private constructor(client: S3Client, target: RequestTarget, checksums: boolean, pool: HttpPool) {
    this.#client = client;
    this.#target = target;
    this.#checksums = checksums;
    this.#pool = pool;
    this.#signer = new Signer(target.region, target.service);
  }

  static async open(
    client: S3Client,
    target: RequestTarget,
    options: Omit<HttpPoolOptions, 'origin'> & { readonly checksums: boolean },
  ): Promise<DirectRequests> {
    const pool = await HttpPool.open({ ...options, origin: target.origin });
    return new DirectRequests(client, target, options.checksums, pool);
  }

  get connected(): number {
    return this.#pool.connected;
  }

  /** Create-only (`If-None-Match: *`). */
  async put(object: NewObject, signal: AbortSignal): Promise<AnswerOfObject> {
    const { bytes, sha256, metadata, md5, contentType = 'application/octet-stream' } = object;
    const before = ['content-length', String(bytes.length)];
    if (md5 !== undefined) before.push('content-md5', md5);
    before.push('content-type', contentType, 'host', this.#target.host, 'if-none-match', '*');
    if (this.#checksums)
      before.push('x-amz-checksum-sha256', Buffer.from(sha256, 'hex').toString('base64'));
    const unsigned =
      object.cacheControl === undefined ? [] : ['cache-control', object.cacheControl];
    const answer = await this.#send('PUT', object.key, signal, {
      payloadSha256: sha256,
      before,
      after: Object.keys(metadata)
        .toSorted()
        .flatMap((name) => [META + name.toLowerCase(), metadata[name] ?? '']),
      unsigned,
      bytes,
    });
    this.#accept('PUT', answer);
    // More than there is to say of a created object.
    if (answer.body.length > 0) throw new ForeignAnswer();
    return answerOf(answer);
  }

  /** `undefined` for any 404. Most HEADs get one, and to throw would take as long as the request. */
  async head(key: string, signal: AbortSignal): Promise<AnswerOfObject | undefined> {
    const answer = await this.#send('HEAD', key, signal, {
      payloadSha256: EMPTY_SHA256,
      before: ['host', this.#target.host],
      after: [],
      unsigned: [],
    });
    if (answer.status === 404) return undefined;
    this.#accept('HEAD', answer);
    return answerOf(answer);
  }

  renew(): void {
    this.#pool.renew();
  }

  close(): void {
    this.#pool.close();
  }

  async #send(
    method: 'PUT' | 'HEAD',
    key: string,
    signal: AbortSignal,
    parts: {
      readonly payloadSha256: string;
      /** Signed headers, in their order: those before and after the signature's own. */
      readonly before: readonly string[];
      readonly after: readonly string[];
      readonly unsigned: readonly string[];
      readonly bytes?: Uint8Array;
    },
  ): Promise<HttpAnswer> {
    const { payloadSha256, before, after, unsigned, bytes } = parts;
    const path = this.#target.prefix + encodePath(key);
    const { config } = this.#client;
    // Cached by the SDK until five minutes before they expire.
    const credentials = await config.credentials();
    const time = amzDate(Date.now() + config.systemClockOffset);
    const headers = [
      ...before,
      'x-amz-content-sha256',
      payloadSha256,
      'x-amz-date',
      time,
      ...after,
    ];
    if (credentials.sessionToken !== undefined)
      headers.push('x-amz-security-token', credentials.sessionToken);
    const request = { method, path, headers, payloadSha256 };
    const authorization = this.#signer.authorization(request, credentials, time);
    headers.push('authorization', authorization, 'user-agent', this.#target.userAgent, ...unsigned);
    return await this.#pool.request(
      { method, path, headers, ...(bytes === undefined ? {} : { body: bytes }) },
      signal,
    );
  }

  #accept(method: 'PUT' | 'HEAD', answer: HttpAnswer): void {
    if (answer.status < 200 || answer.status >= 300) {
      this.#correctClock(answer);
      throw new RefusedAnswer(answer.status, codeIn(answer.body));
    }
    if (!isStoreAnswer(method, answer.headers)) throw new ForeignAnswer();
  }

  /** By the refusal's own `Date`, unless a cache kept it (`Age`). */
  #correctClock({ headers }: HttpAnswer): void {
    if (headers['age'] !== undefined) return;
    const offset = Date.parse(headerOf(headers, 'date') ?? '') - Date.now();
    const { config } = this.#client;
    if (Math.abs(offset - config.systemClockOffset) >= MOST_SKEW_MS)
      config.systemClockOffset = offset;
  }
}

function answerOf({ headers }: HttpAnswer): AnswerOfObject {
  const Metadata: Record<string, string> = {};
  for (const name in headers)
    if (name.startsWith(META)) Metadata[name.slice(META.length)] = headerOf(headers, name) ?? '';
  const length = headerOf(headers, 'content-length') ?? '';
  return {
    Metadata,
    ContentLength: /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    VersionId: headerOf(headers, 'x-amz-version-id'),
  };
}

/** The code in an S3 error's XML. */
function codeIn(body: Buffer): string | undefined {
  return body.length === 0
    ? undefined
    : /<Code>\s*([A-Za-z0-9.]{1,64})\s*<\/Code>/.exec(body.toString('latin1'))?.[1];
}
