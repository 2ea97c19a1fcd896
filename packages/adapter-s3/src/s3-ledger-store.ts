import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLedgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { MarkerWatch } from '@residency/contracts';
import { createOnly } from './create-only.ts';
import type { Pause } from './create-only.ts';
import { requireConditionalWrites } from './ledger-probe.ts';
import type { NewObject, ReplacingCalls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { failure } from './site-failure.ts';
import { watched } from './watched.ts';

/** The bucket of the ledgers, and as whom it is entered. */
export type S3LedgerSettings = Omit<S3SiteSettings, 'site' | 'region' | 'checksums'>;

/** As messages name it. */
const SITE = 'ledger';
/** 256 entries of 65,535 bytes, each behind its length, are the largest file. */
const FILE_BYTES = 256 * (65_535 + 2);
const ATTEMPTS = 5;
const PAUSE_MS = 50;

const TEXT = 'text/plain; charset=utf-8';
const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * Ledgers in an S3 bucket. The credentials may list, get and put.
 *
 * The store decides conflicts by conditional writes: `If-None-Match: *` for files, `If-Match` for
 * checkpoints. An existing file is compared byte for byte. Each request carries its body's MD5,
 * which object lock requires. With a default retention on the bucket, nothing written can be
 * replaced, and each checkpoint is a new version.
 */
export class S3LedgerStore implements LedgerStore {
  readonly #calls: ReplacingCalls;
  readonly #pause: Pause;
  readonly #watch: MarkerWatch;

  /** `now`: a monotonic clock, milliseconds. */
  constructor(
    settings: S3LedgerSettings,
    calls: ReplacingCalls = new S3Bucket({
      ...settings,
      site: SITE,
      region: SITE,
      checksums: 'WHEN_REQUIRED',
    }),
    pause: Pause = sleep,
    now: () => number = () => performance.now(),
  ) {
    this.#calls = calls;
    this.#pause = pause;
    this.#watch = new MarkerWatch(() => requireConditionalWrites(calls, SITE, pause), { now });
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    checkPath(path);
    return (await this.#calls.get(path, FILE_BYTES))?.bytes;
  }

  async create(path: string, bytes: Uint8Array): Promise<'created' | 'same'> {
    checkPath(path);
    return await this.#watched(() => this.#create(path, bytes));
  }

  async publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void> {
    checkPath(path);
    await this.#watched(() => this.#publish(path, bytes, replaces));
  }

  /** Drops the connections; an instance that was closed fails with `SITE_UNREACHABLE`. */
  close(): void {
    this.#calls.close();
  }

  /**
   * Before the first write, after a failure and once a minute the store must show that it honours
   * conditions.
   */
  async #watched<T>(write: () => Promise<T>): Promise<T> {
    return await watched(this.#watch, write);
  }

  async #create(path: string, bytes: Uint8Array): Promise<'created' | 'same'> {
    const { created } = await createOnly(
      this.#calls,
      SITE,
      objectOf(path, bytes, { cacheControl: FOR_EVER }),
      { looksFirst: true, pause: this.#pause },
    );
    if (created) return 'created';
    const standing = await this.#calls.get(path, FILE_BYTES);
    if (standing === undefined) throw contended(path);
    if (standing.bytes.equals(bytes)) return 'same';
    throw new S3Error({
      code: 'LEDGER_FORK',
      message: `Expected ${path} of the ledger to hold the bytes that are to be written, found others, which stay. Keep them as evidence, and find out whether the log or the ledger was altered.`,
      remedy: 'stop',
    });
  }

  async #publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void> {
    const object = objectOf(path, bytes, { contentType: TEXT, cacheControl: 'no-cache' });
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (attempt > 0) await this.#pause(attempt * PAUSE_MS);
      const standing = await this.#calls.get(path, FILE_BYTES);
      if (standing?.bytes.equals(object.bytes) === true) return;
      if (
        standing === undefined
          ? replaces !== undefined
          : replaces === undefined || !standing.bytes.equals(replaces)
      ) {
        throw new S3Error({
          code: 'LEDGER_MOVED',
          message: `Expected ${path} of the ledger as it was read, found another writer's. The ledger is read again and continued.`,
          remedy: 'retry',
        });
      }
      // Without it the condition would be that nothing is there.
      if (standing !== undefined && standing.etag === undefined)
        throw failure(SITE, 'SITE_FAILED', `${path} without an ETag`);
      // Not written: by another writer's file, or by this one's own after a lost answer. The
      // existing file decides which.
      if ((await this.#calls.replace(object, standing?.etag)).put === 'replaced') return;
    }
    throw contended(path);
  }
}

function objectOf(
  key: string,
  body: Uint8Array,
  of: Pick<NewObject, 'contentType' | 'cacheControl'>,
): NewObject & { readonly bytes: Buffer } {
  const bytes = Buffer.from(body);
  return {
    key,
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    md5: createHash('md5').update(bytes).digest('base64'),
    metadata: {},
    ...of,
  };
}

function checkPath(path: string): void {
  if (!isLedgerPath(path))
    throw new S3Error({
      code: 'INVALID_LEDGER_PATH',
      message:
        "Expected a path of a ledger's file, found another. This is a defect of the caller: report it.",
      remedy: 'stop',
    });
}

function contended(path: string): S3Error {
  return new S3Error({
    code: 'SITE_CONTENDED',
    message: `Expected the ledger's store to create ${path} or to return the existing file, found neither. See whether another process writes or deletes in its bucket; the write is tried again.`,
    remedy: 'retry',
  });
}
