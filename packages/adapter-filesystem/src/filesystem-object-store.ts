import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { decodeObjectMetadata, submissionOfKey } from '@residency/contracts';
import type { ObjectMetadata, SiteIdentity } from '@residency/contracts';
import type { CreateResult, ObjectHead, ObjectStore } from '@residency/routing';
import { CandidateJournal } from './candidate-journal.ts';
import { encodeCandidate } from './candidate-line.ts';
import { DirtyDirectories } from './dirty-directories.ts';
import { DISK_CALLS, syncFolder } from './disk-calls.ts';
import type { DiskCalls } from './disk-calls.ts';
import { FILE_MODE, digestFile } from './durable-files.ts';
import { FilesystemError, errnoOf, inSite } from './filesystem-error.ts';
import { MetadataFiles } from './metadata-files.ts';
import { SiteFolder } from './site-folder.ts';
import {
  TEMPORARY_DIRECTORY,
  earlierObjectPath,
  metadataDirectory,
  objectDirectory,
  objectPath,
} from './site-layout.ts';

/**
 * One site as a directory. The bytes and the metadata of an attempt are durable before the bytes are
 * linked to their name. The link is the commit: a crash leaves at most a temporary file and metadata
 * without bytes. `create` makes directories inside `samples/` and `metadata/`, but never these two or
 * the site itself, which may be on a disk that is not mounted. Before each use, `SiteFolder` verifies
 * the site; its errors are thrown.
 */
export class FilesystemObjectStore implements ObjectStore {
  readonly site: string;
  readonly #calls: DiskCalls;
  readonly #folder: SiteFolder;
  readonly #dirty: DirtyDirectories;
  readonly #journal: CandidateJournal;
  readonly #metadata: MetadataFiles;

  /** `directory`: a directory that `initSite` made. `now`: a monotonic clock, milliseconds. */
  constructor(
    directory: string,
    identity: SiteIdentity,
    now: () => number = () => performance.now(),
    calls: DiskCalls = DISK_CALLS,
  ) {
    this.site = identity.site;
    this.#calls = calls;
    this.#folder = new SiteFolder(directory, identity, now, calls, () => {
      this.#dirty.moved();
      this.#journal.moved();
    });
    this.#dirty = new DirtyDirectories((path) => syncFolder(this.#path(path), calls));
    this.#journal = new CandidateJournal({
      directory,
      site: this.site,
      calls,
      requireSameFolder: () => {
        this.#folder.requireSameFolder();
      },
    });
    this.#metadata = new MetadataFiles(directory);
  }

  async create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult> {
    const submission = submissionOf(key);
    return await this.#inSite(async () => {
      // Checking first saves the writes of a duplicate, and finds what version 0.1 wrote.
      if (
        this.#fileOf(submission) === undefined &&
        (await this.#place(submission, sealed, metadata))
      )
        return { created: true };
      const existing = await this.#find(key, submission);
      if (existing === undefined) throw this.#metadataMissing(key);
      return { created: false, existing };
    });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return await this.#inSite(() => this.#find(key, submissionOf(key)));
  }

  async flush(): Promise<void> {
    await this.#inSite(async () => {
      await this.#dirty.flush();
      await this.#journal.fold();
    });
  }

  async #inSite<T>(work: () => Promise<T>): Promise<T> {
    return await inSite(this.site, async () => {
      try {
        await this.#folder.requireVerified();
        const result = await work();
        // If the path changed meanwhile, the object that was found or synced may be in another
        // folder.
        this.#folder.requireSameFolder();
        return result;
      } catch (error) {
        this.#folder.doubt();
        throw error;
      }
    });
  }

  /** `false`: another attempt's bytes got the name first. */
  async #place(submission: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<boolean> {
    const temporary = this.#path(`${TEMPORARY_DIRECTORY}/${randomUUID()}`);
    try {
      // Both are waited for, because the temporary file is removed after a failure.
      const steps = await Promise.allSettled([
        this.#write(temporary, sealed),
        this.#journal.append(encodeCandidate(submission, metadata)),
      ]);
      for (const step of steps) if (step.status === 'rejected') throw step.reason;
      // From here on the link fails if the path changes, because the temporary file is only in this
      // folder.
      this.#folder.requireSameFolder();
      const created = this.#link(temporary, submission);
      if (created) this.#dirty.touch(objectDirectory(submission));
      return created;
    } finally {
      this.#remove(temporary);
    }
  }

  /** Writes a new file and makes its content durable. */
  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#calls.create(path, FILE_MODE);
    try {
      for (let at = 0; at < bytes.length;)
        at += await this.#calls.write(file, at === 0 ? bytes : bytes.subarray(at));
      await this.#calls.sync(file);
    } finally {
      this.#calls.close(file);
    }
  }

  /** Links the finished file to the object's name, if that is free: link(2) is atomic. */
  #link(temporary: string, submission: string): boolean {
    const path = this.#path(objectPath(submission));
    try {
      try {
        this.#calls.link(temporary, path);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        const directory = objectDirectory(submission);
        if (this.#calls.mkdir(this.#path(directory))) this.#dirty.made(directory);
        this.#calls.link(temporary, path);
      }
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  #remove(temporary: string): void {
    try {
      this.#calls.unlink(temporary);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  /** The path of the object's file; `undefined`: there is none. */
  #fileOf(submission: string): string | undefined {
    return [objectPath(submission), earlierObjectPath(submission)].find((path) =>
      this.#calls.exists(this.#path(path)),
    );
  }

  /** The object under the key, with the candidate whose digest matches its bytes. */
  async #find(key: string, submission: string): Promise<ObjectHead | undefined> {
    const path = this.#fileOf(submission);
    const found = path === undefined ? undefined : await digestFile(this.#path(path));
    if (path === undefined || found === undefined) return undefined;
    const metadata = await this.#metadata.find(submission, found.sha256);
    if (metadata === undefined) throw this.#metadataMissing(key);
    // Its creator may have crashed before the sync. Version 0.1 relied on it for the metadata too.
    this.#dirty.touch(posix.dirname(path));
    if (path === key) this.#dirty.touch(metadataDirectory(submission));
    return { metadata: decodeObjectMetadata(metadata), bytes: found.bytes };
  }

  #path(relative: string): string {
    // `join` takes longer than the system call.
    return `${this.#folder.directory}/${relative}`;
  }

  #metadataMissing(key: string): FilesystemError {
    return new FilesystemError({
      code: 'METADATA_MISSING',
      message: `Expected a line beside ${key} in site ${this.site} whose sealed-sha256 is that of the bytes there, found none: the file was altered, or its metadata is lost. Restore both from one copy of the site, or move the file out of the site (it can then be routed again), and redrive what was quarantined meanwhile.`,
      remedy: 'park',
    });
  }
}

function submissionOf(key: string): string {
  const submission = submissionOfKey(key);
  if (submission !== undefined) return submission;
  throw new FilesystemError({
    code: 'INVALID_OBJECT_KEY',
    message:
      'Expected the key of a sample object, found another. This is a defect of the caller: report it.',
    remedy: 'stop',
  });
}
