import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { defined } from '@residency/defined';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import { allKeys } from './all-keys.ts';
import { attempted } from './attempts.ts';
import { Connections } from './connections.ts';
import { DirectRequests } from './direct-requests.ts';
import type { AnswerOfObject } from './direct-requests.ts';
import { UnreadableAnswer } from './http-pool.ts';
import type {
  FoundBytes,
  FoundHead,
  FoundUpload,
  FoundVersion,
  KeyPage,
  NewObject,
  PurgingCalls,
  PutResult,
  ReplaceResult,
} from './s3-calls.ts';
import { decodeKey, takingKeys } from './list-keys.ts';
import * as requests from './purge-requests.ts';
import { DEFAULT_ATTEMPTS, DEFAULT_MAX_SOCKETS, DEFAULT_TIMEOUTS } from './s3-settings.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { checkEndpoint, makeClient, targetOf } from './sdk-client.ts';
import { failure, nameOf, siteFailure, statusOf } from './site-failure.ts';
import { ForeignAnswer } from './store-answer.ts';

export interface BucketHooks {
  /** Awaited before each attempt of a write; what it throws is thrown. */
  readonly beforeWrite?: () => Promise<void>;
  /** Called for each failed attempt, and for each answer that is not a store's. */
  readonly failed?: () => void;
}

/** More than is waited between two attempts as few as these. */
const RETRY_DELAY_MS = 6_000;

/** After an answer that `DirectRequests` cannot read, the SDK does its work for so long. */
const INDIRECT_MS = 10 * 60_000;

/**
 * One site's bucket: create-only PUT and HEAD by `DirectRequests`, everything else by the SDK. Both
 * together keep at most `maxSockets` connections.
 */
export class S3Bucket implements PurgingCalls {
  readonly #settings: S3SiteSettings;
  readonly #maxSockets: number;
  readonly #hooks: BucketHooks;
  readonly #connections: Connections;
  readonly #client: S3Client;
  readonly #semaphore: LimitFunction;
  readonly #attempts: number;
  /** Of a whole call: an answer that trickles passes every other time-out. */
  readonly #deadlineMs: number;
  readonly #running = new Set<AbortController>();
  /** `undefined` within: this bucket is the SDK's alone. */
  #opening: Promise<DirectRequests | undefined> | undefined;
  #direct: DirectRequests | undefined;
  #indirectUntil = -Infinity;
  readonly #inWork = { direct: 0, sdk: 0 };
  #closed = false;

  constructor(settings: S3SiteSettings, hooks: BucketHooks = {}) {
    const { connectMs, requestMs } = settings.timeouts ?? DEFAULT_TIMEOUTS;
    checkEndpoint(settings);
    this.#settings = settings;
    this.#hooks = hooks;
    this.#maxSockets = settings.maxSockets ?? DEFAULT_MAX_SOCKETS;
    this.#client = makeClient(settings);
    this.#connections = new Connections(this.#client.config.requestHandler);
    this.#semaphore = pLimit(this.#maxSockets);
    this.#attempts = settings.attempts ?? DEFAULT_ATTEMPTS;
    this.#deadlineMs = this.#attempts * (connectMs + requestMs + RETRY_DELAY_MS);
  }

  async putIfAbsent(object: NewObject): Promise<PutResult> {
    return await this.#call(async (signal) => {
      await this.#hooks.beforeWrite?.();
      try {
        const { VersionId } = await this.#directly(
          signal,
          (direct) => direct.put(object, signal),
          () => this.#put(object, { IfNoneMatch: '*' }, signal),
        );
        return { put: 'created', ...version(VersionId) };
      } catch (caught) {
        if (this.#isForeign(caught)) return { put: 'unclear' };
        if (statusOf(caught) === 412) return { put: 'exists' };
        if (statusOf(caught) === 409) return { put: 'conflict' };
        throw caught;
      }
    });
  }

  async replace(object: NewObject, etag: string | undefined): Promise<ReplaceResult> {
    const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
    return await this.#call(async (signal) => {
      await this.#hooks.beforeWrite?.();
      try {
        const { VersionId } = await this.#put(object, condition, signal);
        return { put: 'replaced', ...version(VersionId) };
      } catch (caught) {
        if (this.#isForeign(caught)) return { put: 'unclear' };
        if (statusOf(caught) === 412 || nameOf(caught) === 'NoSuchKey') return { put: 'differs' };
        if (statusOf(caught) === 409) return { put: 'conflict' };
        throw caught;
      }
    });
  }

  async head(key: string): Promise<FoundHead | undefined> {
    const command = { Bucket: this.#settings.bucket, Key: key };
    return await this.#call(async (signal) => {
      try {
        const answer = await this.#directly<AnswerOfObject | undefined>(
          signal,
          (direct) => direct.head(key, signal),
          () =>
            this.#bySdk(() =>
              this.#client.send(new HeadObjectCommand(command), { abortSignal: signal }),
            ),
        );
        return (
          answer && {
            metadata: metadataOf(answer.Metadata),
            ...lengthOf(answer.ContentLength),
            ...version(answer.VersionId),
          }
        );
      } catch (caught) {
        if (statusOf(caught) === 404) return undefined;
        throw caught;
      }
    });
  }

  async peek(key: string): Promise<FoundHead | undefined> {
    return await this.#callSdk(async (abortSignal) => {
      const answer = await this.#get(key, abortSignal, 'bytes=0-0');
      if (answer === undefined) return undefined;
      const total = /^bytes 0-0\/(\d{1,15})$/.exec(answer.ContentRange ?? '')?.[1];
      if (total !== undefined) {
        await countBody(answer.Body, 0);
        return {
          metadata: metadataOf(answer.Metadata),
          bytes: Number(total),
          ...version(answer.VersionId),
        };
      }
      // The store ignored the range, or did not declare it: the whole object is counted, and not
      // kept.
      const all =
        answer.$metadata.httpStatusCode === 200 ? answer : await this.#get(key, abortSignal);
      return (
        all && {
          metadata: metadataOf(all.Metadata),
          bytes: await countBody(all.Body, Infinity),
          ...version(all.VersionId),
        }
      );
    });
  }

  async get(key: string, maxBytes: number): Promise<FoundBytes | undefined> {
    return await this.#callSdk(async (abortSignal) => {
      const answer = await this.#get(key, abortSignal);
      if (answer === undefined) return undefined;
      const etag = answer.ETag;
      return {
        metadata: metadataOf(answer.Metadata),
        bytes: await readBody(answer.Body, maxBytes),
        ...defined({ etag }),
        ...version(answer.VersionId),
      };
    });
  }

  async list(
    prefix: string,
    { from, maxKeys }: { readonly from?: string; readonly maxKeys: number },
  ): Promise<KeyPage> {
    return await this.#callSdk(async (abortSignal) => {
      // `url`: other people's keys may hold characters that XML cannot.
      const command = new ListObjectsV2Command({
        Bucket: this.#settings.bucket,
        Prefix: prefix,
        MaxKeys: maxKeys,
        EncodingType: 'url',
        ...defined({ ContinuationToken: from }),
      });
      const taken = takingKeys(command);
      const {
        Contents = [],
        EncodingType,
        IsTruncated,
        NextContinuationToken: next,
      } = await this.#client.send(command, { abortSignal });
      // An answer without it is no list, and must not pass for an empty one.
      if (typeof IsTruncated !== 'boolean') throw new ForeignAnswer();
      // Half a list must not pass for a whole one, nor one page for all of them.
      if (IsTruncated && (next === undefined || next === from))
        throw failure(this.#settings.site, 'SITE_FAILED', 'a list that does not go on');
      return {
        keys:
          taken()?.map(decodeKey) ??
          Contents.map(({ Key = '' }) => (EncodingType === 'url' ? decodeKey(Key) : Key)),
        ...(IsTruncated && next !== undefined ? { next } : {}),
      };
    });
  }

  async isLocked(): Promise<boolean> {
    return await this.#callSdk((signal) => requests.isLocked(this.#sending(signal)));
  }

  async versions(prefix: string): Promise<readonly FoundVersion[]> {
    const versions = await this.#allOf('s3:ListBucketVersions', (signal, from) =>
      requests.versionsPage(this.#sending(signal), prefix, from),
    );
    return versions ?? (await allKeys(this, prefix)).map((key) => ({ key, isNewest: true }));
  }

  async deleteVersion(key: string, versionId: string | undefined): Promise<void> {
    const right = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
    await this.#remove(right, (signal) =>
      requests.deleteVersion(this.#sending(signal), key, versionId),
    );
  }

  async uploads(prefix: string): Promise<readonly FoundUpload[]> {
    const uploads = await this.#allOf('s3:ListBucketMultipartUploads', (signal, from) =>
      requests.uploadsPage(this.#sending(signal), prefix, from),
    );
    return uploads ?? [];
  }

  async beginUpload(key: string): Promise<string | undefined> {
    return await this.#callSdk(async (signal) => {
      await this.#hooks.beforeWrite?.();
      return await requests.beginUpload(this.#sending(signal), key);
    });
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    await this.#remove('s3:AbortMultipartUpload', (signal) =>
      requests.abortUpload(this.#sending(signal), key, uploadId),
    );
  }

  renew(): void {
    this.#connections.renew();
    this.#direct?.renew();
  }

  close(): void {
    this.#closed = true;
    for (const abort of this.#running) abort.abort();
    this.#client.destroy();
    this.#direct?.close();
  }

  /** By `DirectRequests` if they can do it, otherwise by the SDK. */
  async #directly<T>(
    signal: AbortSignal,
    directly: (direct: DirectRequests) => Promise<T>,
    bySdk: () => Promise<T>,
  ): Promise<T> {
    if (performance.now() < this.#indirectUntil) return await bySdk();
    const direct = this.#direct ?? (await this.#open(signal));
    if (direct === undefined) return await bySdk();
    this.#inWork.direct += 1;
    try {
      if (this.#isCrowded()) this.#connections.closeIdle();
      return await directly(direct);
    } catch (caught) {
      if (caught instanceof UnreadableAnswer) this.#indirectUntil = performance.now() + INDIRECT_MS;
      throw caught;
    } finally {
      this.#inWork.direct -= 1;
    }
  }

  async #open(signal: AbortSignal): Promise<DirectRequests | undefined> {
    this.#opening ??= this.#openDirect(signal);
    try {
      this.#direct = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
    if (this.#closed) this.#direct?.close();
    return this.#direct;
  }

  async #openDirect(signal: AbortSignal): Promise<DirectRequests | undefined> {
    const target = await targetOf(this.#client, this.#settings.bucket, signal);
    if (target === undefined) return undefined;
    return await DirectRequests.open(this.#client, target, {
      ...(this.#settings.timeouts ?? DEFAULT_TIMEOUTS),
      connections: this.#maxSockets,
      checksums: this.#settings.checksums === 'WHEN_SUPPORTED',
    });
  }

  async #bySdk<T>(work: () => Promise<T>): Promise<T> {
    this.#inWork.sdk += 1;
    try {
      if (this.#isCrowded()) this.#direct?.renew();
      return await work();
    } finally {
      this.#inWork.sdk -= 1;
    }
  }

  /**
   * True if both clients together could come to have more connections than allowed, unless the one
   * that is not to be used now gives up those that are idle.
   */
  #isCrowded(): boolean {
    const { direct, sdk } = this.#inWork;
    const ofSdk = Math.max(sdk, this.#connections.count);
    return ofSdk > 0 && ofSdk + Math.max(direct, this.#direct?.connected ?? 0) > this.#maxSockets;
  }

  async #put(
    object: NewObject,
    condition: Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>,
    abortSignal: AbortSignal,
  ): Promise<AnswerOfObject> {
    const command = new PutObjectCommand({ ...this.#input(object), ...condition });
    return await this.#bySdk(() => this.#client.send(command, { abortSignal }));
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
      ...defined({ ContentMD5: md5, CacheControl: cacheControl }),
    };
  }

  async #get(
    key: string,
    abortSignal: AbortSignal,
    range?: string,
  ): Promise<GetObjectCommandOutput | undefined> {
    try {
      return await this.#client.send(
        new GetObjectCommand({
          Bucket: this.#settings.bucket,
          Key: key,
          ...defined({ Range: range }),
        }),
        { abortSignal },
      );
    } catch (caught) {
      if (nameOf(caught) === 'NoSuchKey') return undefined;
      // A range of an empty object cannot be satisfied.
      if (range !== undefined && statusOf(caught) === 416) return await this.#get(key, abortSignal);
      throw caught;
    }
  }

  #sending(signal: AbortSignal): requests.Sending {
    return { client: this.#client, bucket: this.#settings.bucket, signal };
  }

  /** All pages of a list. `undefined`: the store has no such list. */
  async #allOf<T>(
    right: string,
    page: (
      signal: AbortSignal,
      from: requests.Marker | undefined,
    ) => Promise<requests.Page<T> | undefined>,
  ): Promise<readonly T[] | undefined> {
    const all: T[] = [];
    let from: requests.Marker | undefined;
    do {
      const start = from;
      const one = await this.#callSdk((signal) =>
        requests.permitted(this.#settings.site, right, page(signal, start)),
      );
      if (one === undefined) return undefined;
      all.push(...one.found);
      from = one.next;
    } while (from !== undefined);
    return all;
  }

  async #remove(right: string, remove: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await this.#callSdk(async (signal) => {
      await this.#hooks.beforeWrite?.();
      await requests.permitted(this.#settings.site, right, remove(signal));
    });
  }

  #isForeign(caught: unknown): boolean {
    if (!(caught instanceof ForeignAnswer)) return false;
    this.#hooks.failed?.();
    return true;
  }

  /**
   * From the shared credentials file too, which the SDK would not read twice; credentials of the
   * settings stay as they are.
   */
  readonly #refresh = async (): Promise<void> => {
    await this.#client.config.credentials({ forceRefresh: true });
  };

  async #callSdk<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return await this.#call((signal) => this.#bySdk(() => work(signal)));
  }

  async #call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return await this.#semaphore(async () => {
      if (this.#closed)
        throw failure(this.#settings.site, 'SITE_UNREACHABLE', 'that it was closed here');
      const abort = new AbortController();
      const timer = setTimeout(() => {
        abort.abort();
      }, this.#deadlineMs);
      this.#running.add(abort);
      try {
        return await attempted(() => work(abort.signal), {
          most: this.#attempts,
          signal: abort.signal,
          failed: () => this.#hooks.failed?.(),
          ...(this.#settings.credentials === undefined ? { refresh: this.#refresh } : {}),
        });
      } catch (caught) {
        throw siteFailure(this.#settings.site, caught);
      } finally {
        clearTimeout(timer);
        this.#running.delete(abort);
      }
    });
  }
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

/** How long a body is; `most`: it is left after so many bytes. */
async function countBody(body: GetObjectCommandOutput['Body'], most: number): Promise<number> {
  if (!(body instanceof Readable)) throw new TypeError('Expected a stream from the SDK.');
  let bytes = 0;
  for await (const piece of body) {
    bytes += Buffer.byteLength(piece);
    if (bytes > most) break;
  }
  return bytes;
}

/** Header names are case-insensitive; white space around a value belongs to HTTP. */
function metadataOf(found: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(found ?? {}).map(([name, value]) => [name.toLowerCase(), value.trim()]),
  );
}

function lengthOf(found: number | undefined): { bytes?: number } {
  return found !== undefined && Number.isSafeInteger(found) ? { bytes: found } : {};
}

/**
 * The store controls it, and it goes into audit events, whose length is limited; S3's have 1,024
 * bytes at most.
 */
function version(versionId: string | undefined): { versionId?: string } {
  return versionId !== undefined && /^[\x21-\x7e]{1,1024}$/.test(versionId) ? { versionId } : {};
}
