import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isOutOfHandles, systemFailure } from '@residency/coded-error';
import { DIRECTORY_MODE, createWhole, syncDirectory } from './durable-files.ts';
import { FilesystemError, errnoOf, outOfHandles } from './filesystem-error.ts';

export interface KeyEntry {
  readonly region: string;
  readonly id: string;
  /** A retired key opens what it sealed, and seals no more. */
  readonly retired: boolean;
}

/** PEM: SPKI and PKCS#8. */
export interface KeyPair {
  readonly id: string;
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

export type PublicKey = Pick<KeyPair, 'id' | 'publicKeyPem'>;

/** How long `newest` may be behind a key that another process added or retired, milliseconds. */
const RECHECK_MS = 1_000;

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const REGION = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const PUBLIC = '.public.pem';
const PRIVATE = '.private.pem';
const RETIRED = '.retired';

/**
 * Key pairs as files: `<region>/<key id>.{private,public}.pem` and, once retired, an empty `<key
 * id>.retired`. Files are only added. A key exists once its public file does, which is written
 * last. Ids sort by creation.
 */
export class KeyDirectory {
  readonly #directory: string;
  readonly #monotonicMs: () => number;
  readonly #newest = new Map<
    string,
    { readonly checkedAt: number; readonly key: PublicKey | undefined }
  >();

  constructor(directory: string, monotonicMs: () => number = () => performance.now()) {
    this.#directory = directory;
    this.#monotonicMs = monotonicMs;
  }

  /** Every region's keys, by region and then by id. */
  async list(): Promise<readonly KeyEntry[]> {
    const regions = ((await reading(() => readdir(this.#directory))) ?? [])
      .filter((name) => REGION.test(name))
      .sort();
    return (await Promise.all(regions.map((region) => this.#entries(region)))).flat();
  }

  /**
   * The key that seals: the region's largest id that is not retired. Synchronous; reads the disk at
   * most once a second.
   */
  newest(region: string): PublicKey | undefined {
    const known = this.#newest.get(region);
    const now = this.#monotonicMs();
    if (known !== undefined && now - known.checkedAt < RECHECK_MS) return known.key;
    const key = this.#readNewest(region);
    this.#newest.set(region, { checkedAt: now, key });
    return key;
  }

  /**
   * Durable once it resolves. Throws `KEY_EXISTS` if a file of that id exists, including one that a
   * crash left.
   */
  async add(region: string, { id, publicKeyPem, privateKeyPem }: KeyPair): Promise<void> {
    const directory = this.#region(region);
    checkId(id);
    await writing(async () => {
      await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
      for (const [suffix, pem] of [
        [PRIVATE, privateKeyPem],
        [PUBLIC, publicKeyPem],
      ] as const) {
        if (
          !(await createWhole(
            join(directory, id + suffix),
            Buffer.from(pem, 'utf8'),
            temporaryIn(directory),
          ))
        ) {
          throw new FilesystemError({
            code: 'KEY_EXISTS',
            message: `Expected a new key id in region ${region}, found files of ${id}. Keys are never overwritten: add one with a new id.`,
            remedy: 'stop',
          });
        }
        // The private key is durable before anything can be sealed to the public one.
        await syncDirectory(directory);
      }
      for (const parent of [this.#directory, dirname(this.#directory)]) await syncDirectory(parent);
    });
    this.#newest.delete(region);
  }

  /**
   * Does nothing if it is retired already. Throws `KEY_UNKNOWN`, and `KEY_LAST` if no key would be
   * left to seal with.
   */
  async retire(keyId: string): Promise<void> {
    checkId(keyId);
    const entry = (await this.list()).find((candidate) => candidate.id === keyId);
    if (entry === undefined) {
      throw new FilesystemError({
        code: 'KEY_UNKNOWN',
        message: `Expected the id of a key that exists, found ${keyId}. List the keys and choose one of them.`,
        remedy: 'stop',
      });
    }
    if (entry.retired) return;
    const { region } = entry;
    if ((await this.#unretired(region)).length < 2) throw lastKey(region, keyId);
    const directory = this.#region(region);
    const marker = join(directory, keyId + RETIRED);
    await writing(() => createWhole(marker, Buffer.alloc(0), temporaryIn(directory)));
    // Two concurrent retirements may each have counted the other's key as left. Then both are
    // undone.
    if ((await this.#unretired(region)).length === 0) {
      await writing(() => rm(marker, { force: true }));
      throw lastKey(region, keyId);
    }
    await writing(() => syncDirectory(directory));
    this.#newest.delete(region);
  }

  /**
   * PKCS#8 PEM, also of a retired key, because the samples that it sealed must open for ever.
   * `undefined`: there is no such key, or its private file is not in this directory. Objects control
   * `id`.
   */
  async privateKey(region: string, id: string): Promise<string | undefined> {
    const directory = this.#region(region);
    if (!ID.test(id)) return undefined;
    return await reading(() => readFile(join(directory, id + PRIVATE), 'utf8'));
  }

  #readNewest(region: string): PublicKey | undefined {
    const directory = this.#region(region);
    try {
      const id = newestId(entriesOf(region, readdirSync(directory)));
      if (id === undefined) return undefined;
      // Also for a known key: an invalid file may have been corrected.
      return { id, publicKeyPem: readFileSync(join(directory, id + PUBLIC), 'utf8') };
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw keysError(cause);
    }
  }

  async #entries(region: string): Promise<readonly KeyEntry[]> {
    return entriesOf(region, (await reading(() => readdir(this.#region(region)))) ?? []);
  }

  async #unretired(region: string): Promise<readonly KeyEntry[]> {
    return (await this.#entries(region)).filter(({ retired }) => !retired);
  }

  #region(region: string): string {
    if (!REGION.test(region)) throw invalidName('a region of 1 to 64 characters a-z 0-9 . -');
    return join(this.#directory, region);
  }
}

function entriesOf(region: string, names: readonly string[]): readonly KeyEntry[] {
  const present = new Set(names);
  return names
    .filter((name) => name.endsWith(PUBLIC))
    .map((name) => name.slice(0, -PUBLIC.length))
    .filter((id) => ID.test(id))
    .sort()
    .map((id) => ({ region, id, retired: present.has(id + RETIRED) }));
}

function newestId(entries: readonly KeyEntry[]): string | undefined {
  return entries.findLast(({ retired }) => !retired)?.id;
}

/** Begins with a dot, so it never is the name of a key's file. */
function temporaryIn(directory: string): string {
  return join(directory, `.${randomUUID()}`);
}

function checkId(id: string): void {
  if (!ID.test(id)) throw invalidName('a key id of 1 to 128 characters A-Z a-z 0-9 . _ -');
}

function invalidName(expected: string): FilesystemError {
  return new FilesystemError({
    code: 'INVALID_KEY_NAME',
    message: `Expected ${expected}, beginning with a letter or digit; found something else. Correct the name.`,
    remedy: 'stop',
  });
}

function lastKey(region: string, keyId: string): FilesystemError {
  return new FilesystemError({
    code: 'KEY_LAST',
    message: `Expected another key of region ${region} to seal with, found ${keyId} to be the last. Add a key first, then retire this one.`,
    remedy: 'stop',
  });
}

/** `undefined`: there is no such file or directory. */
async function reading<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw keysError(cause);
  }
}

async function writing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw keysError(cause);
  }
}

/** Maps a failed system call. Other errors are returned unchanged. */
function keysError(cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  if (isOutOfHandles(errno)) return outOfHandles(errno, cause);
  return new FilesystemError({
    code: 'KEYS_UNREACHABLE',
    message: `Expected a key directory this process may use, found ${systemFailure(errno)}. Make it usable; what waits is tried again.`,
    remedy: 'retry',
    cause,
  });
}
