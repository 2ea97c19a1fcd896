import { readdir } from 'node:fs/promises';
import { posix } from 'node:path';
import {
  encodeObjectMetadata,
  isSetAsideKey,
  objectMetadataIn,
  setAsideKey,
  sha256,
  submissionOfKey,
} from '@residency/contracts';
import type { ObjectMetadata, SiteIdentity, Tombstone } from '@residency/contracts';
import { COPY_BYTES, copyTooLarge, setAsideDiffers } from '@residency/custodianship';
import type { CustodianSite, FoundCopy, NewCopy, Purged, Written } from '@residency/custodianship';
import { defined } from '@residency/defined';
import type { DiskCalls } from './disk-calls.ts';
import { digestFile, ifThere, openRegular } from './durable-files.ts';
import { FilesystemError, errnoOf } from './filesystem-error.ts';
import { SiteFiles, invalidKey, submissionOf } from './site-files.ts';
import {
  TEMPORARY_DIRECTORY,
  earlierObjectPath,
  keyOfSetAside,
  objectPath,
  setAsideMetadataPath,
} from './site-layout.ts';

/** The bytes of a file, and which file it was. */
interface FoundFile {
  readonly bytes: Buffer;
  /** Inode and time of the last change. */
  readonly stamp: string;
}

/** The header of a sealed message has fewer bytes. */
const HEADER_BYTES = 4_096;

/**
 * One site as a directory, for a custodian. An object is created as by `FilesystemObjectStore`, in
 * the same folder and perhaps at the same time.
 *
 * A replacement is a rename(2) over the object's file, after the new bytes and their metadata line
 * are durable. A disk has no conditional rename: bytes are compared before the new file is written,
 * inode and modification time right before the rename. Between the two last calls, microseconds, a
 * concurrent writer would go unnoticed. A router never writes to an existing object, so only another
 * custodian, which the routing lock excludes, or a person could be one.
 */
export class FilesystemCustodianSite implements CustodianSite {
  readonly site: string;
  readonly #files: SiteFiles;

  /** `directory`: a directory that `initSite` made. `now`: a monotonic clock, milliseconds. */
  constructor(directory: string, identity: SiteIdentity, now?: () => number, calls?: DiskCalls) {
    this.site = identity.site;
    this.#files = new SiteFiles(directory, identity, now, calls);
  }

  async read(key: string): Promise<FoundCopy | undefined> {
    const submission = submissionOf(key);
    return await this.#files.use(async () => {
      const path = this.#files.objectFile(submission);
      const found = path === undefined ? undefined : await this.#readFile(path, key);
      if (path === undefined || found === undefined) return undefined;
      const digest = sha256(found.bytes);
      const metadata = await this.#metadata(submission, digest);
      this.#files.found(path, submission);
      return { bytes: found.bytes, tag: tagOf(found.stamp, digest), ...defined({ metadata }) };
    });
  }

  /** Reads the object's bytes: its metadata is the line that has their digest. */
  async metadata(key: string): Promise<ObjectMetadata | undefined> {
    const submission = submissionOf(key);
    return await this.#files.use(async () => {
      const path = this.#files.objectFile(submission);
      const found = path === undefined ? undefined : await digestFile(this.#files.path(path));
      return found === undefined ? undefined : await this.#metadata(submission, found.sha256);
    });
  }

  async create({ key, bytes, metadata }: NewCopy): Promise<Written> {
    const submission = submissionOf(key);
    return await this.#files.use(async () => ({
      written: await this.#files.createObject({ submission, bytes, metadata }),
    }));
  }

  async replace({ key, bytes, metadata }: NewCopy, { tag }: FoundCopy): Promise<Written> {
    const submission = submissionOf(key);
    return await this.#files.use(async () => {
      const path = this.#files.objectFile(submission);
      const now = path === undefined ? undefined : await this.#readFile(path, key);
      if (path === undefined || now === undefined) return { written: false };
      if (tagOf(now.stamp, sha256(now.bytes)) !== tag) return { written: false };
      const isStill = (): boolean => this.#stamp(path) === now.stamp;
      const object = { submission, bytes, metadata };
      return { written: await this.#files.replaceObject(path, object, isStill) };
    });
  }

  /** The metadata's file is written before the bytes: their link is the commit, as elsewhere. */
  async setAside(
    submission: string,
    { bytes, metadata }: FoundCopy,
  ): Promise<{ readonly key: string; readonly sha256: string }> {
    const digest = sha256(bytes);
    const key = setAsideKey(submission, digest);
    if (!isSetAsideKey(key)) throw invalidKey();
    return await this.#files.use(async () => {
      const standing = await digestFile(this.#files.path(key));
      // Before anything is written: a tombstone has this key and no metadata.
      if (standing !== undefined && standing.sha256 !== digest)
        throw setAsideDiffers(this.site, key);
      if (metadata !== undefined)
        await this.#keep(
          setAsideMetadataPath(key),
          `${JSON.stringify(encodeObjectMetadata(metadata))}\n`,
        );
      if (
        standing === undefined &&
        !(await this.#keep(key, bytes)) &&
        (await digestFile(this.#files.path(key)))?.sha256 !== digest
      )
        throw setAsideDiffers(this.site, key);
      await this.#files.syncName(key);
      return { key, sha256: digest };
    });
  }

  /**
   * A file that a crashed attempt left in `tmp/` counts as an unfinished upload, and a second file of
   * the object, which version 0.1 may have written, as an older version.
   */
  async purge(
    { key, bytes }: Tombstone,
    submission: string,
    digests: readonly string[],
  ): Promise<Purged> {
    const given = digests.map((digest) => setAsideKey(submission, digest));
    if (submissionOfKey(key) !== submission || !given.every(isSetAsideKey)) throw invalidKey();
    return await this.#files.use(async () => {
      const uploads = await this.#purgeTemporaries(submission, bytes);
      const folder = setAsideKey(submission, '');
      const standing = (await this.#namesIn(folder))
        .map((name) => keyOfSetAside(folder + name))
        .filter((path) => path !== undefined);
      let setAside = 0;
      for (const path of new Set([...standing, ...given])) {
        const isReplaced = await this.#putTombstone(path, bytes);
        // After the bytes, so that a purge that was cut short is repeated.
        const hadMetadata = this.#files.removeFile(setAsideMetadataPath(path));
        if (isReplaced || hadMetadata) setAside += 1;
      }
      return { versions: await this.#purgeSecond(submission, bytes), setAside, uploads };
    });
  }

  async flush(): Promise<void> {
    await this.#files.use(() => this.#files.flush());
  }

  /** `true`: another file was there. */
  async #putTombstone(path: string, bytes: Buffer): Promise<boolean> {
    const isThere = this.#files.calls.exists(this.#files.path(path));
    const found = await digestFile(this.#files.path(path));
    if (isThere && found === undefined) throw this.#notAFile(path);
    const isSame = found?.sha256 === sha256(bytes);
    const folder = posix.dirname(path);
    if (!isSame) await this.#files.putFile(path, bytes, [posix.dirname(folder), folder]);
    // Also if it was there: a crashed custodian's may not be durable.
    this.#files.touch(path);
    return isThere && !isSame;
  }

  async #purgeSecond(submission: string, bytes: Buffer): Promise<number> {
    const [first, second] = [objectPath(submission), earlierObjectPath(submission)];
    const { calls } = this.#files;
    if (!calls.exists(this.#files.path(first)) || !calls.exists(this.#files.path(second))) return 0;
    return (await this.#putTombstone(second, bytes)) ? 1 : 0;
  }

  /** Those that hold the submission's id, which is in the clear at the beginning of a sealed message. */
  async #purgeTemporaries(submission: string, tombstone: Buffer): Promise<number> {
    let removed = 0;
    for (const name of await this.#namesIn(TEMPORARY_DIRECTORY)) {
      const path = `${TEMPORARY_DIRECTORY}/${name}`;
      const start = await beginningOf(this.#files.path(path));
      if (start?.includes(submission) !== true || start.equals(tombstone)) continue;
      if (this.#files.removeFile(path)) removed += 1;
    }
    return removed;
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    return (await ifThere(readdir(this.#files.path(folder)))) ?? [];
  }

  async #keep(path: string, content: Buffer | string): Promise<boolean> {
    const directory = posix.dirname(path);
    return await this.#files.createFile(path, Buffer.from(content), [
      posix.dirname(directory),
      directory,
    ]);
  }

  /** `undefined`: it is gone meanwhile. */
  async #readFile(path: string, key: string): Promise<FoundFile | undefined> {
    const file = await openIfThere(this.#files.path(path));
    if (file === 'absent') return undefined;
    if (file === undefined) throw this.#notAFile(key);
    try {
      const { ino, mtimeNs, size } = await file.stat({ bigint: true });
      if (size > COPY_BYTES) throw copyTooLarge(this.site, key);
      return { bytes: await file.readFile(), stamp: `${ino}:${mtimeNs}` };
    } finally {
      await file.close();
    }
  }

  #stamp(path: string): string | undefined {
    if (!this.#files.calls.exists(this.#files.path(path))) return undefined;
    const { ino, mtimeNs } = this.#files.calls.lstat(this.#files.path(path));
    return `${ino}:${mtimeNs}`;
  }

  /** Of the line whose digest is that of the bytes. */
  async #metadata(submission: string, digest: string): Promise<ObjectMetadata | undefined> {
    return objectMetadataIn(await this.#files.metadata.find(submission, digest));
  }

  #notAFile(key: string): FilesystemError {
    return new FilesystemError({
      code: 'OBJECT_NOT_A_FILE',
      message: `Expected a file, or nothing, under ${key} in site ${this.site}, found a link, a folder or a special file. Move it out of the site; a copy is made after that.`,
      remedy: 'park',
    });
  }
}

/** `undefined`: it is gone, or no regular file. */
async function beginningOf(path: string): Promise<Buffer | undefined> {
  const file = await openIfThere(path);
  if (file === undefined || file === 'absent') return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function tagOf(stamp: string, digest: string): string {
  return `${stamp}:${digest}`;
}

async function openIfThere(
  path: string,
): Promise<Awaited<ReturnType<typeof openRegular>> | 'absent'> {
  try {
    return await openRegular(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'absent';
    throw error;
  }
}
