import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { submissionOfKey } from '@residency/contracts';
import type { ObjectMetadata, SiteIdentity } from '@residency/contracts';
import { CandidateJournal } from './candidate-journal.ts';
import { encodeCandidate } from './candidate-line.ts';
import { DirtyDirectories } from './dirty-directories.ts';
import { DISK_CALLS, syncFolder } from './disk-calls.ts';
import type { DiskCalls } from './disk-calls.ts';
import { FILE_MODE } from './durable-files.ts';
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

export interface ObjectContent {
  readonly submission: string;
  readonly bytes: Uint8Array;
  readonly metadata: ObjectMetadata;
}

/** Bytes on their way to a name. */
interface NewFile {
  readonly bytes: Uint8Array;
  /** What must be durable before the name is. */
  readonly before?: () => Promise<void>;
}

/**
 * The files of one site, for one writer: how they get their names. A file's content and its
 * object's metadata are durable before the name is made. Paths are relative to the site. Directories
 * are made as they are needed, but never the site's own (`SITE_DIRECTORIES`), which may be on a disk
 * that is not mounted. Everything is done inside `use`.
 */
export class SiteFiles {
  readonly site: string;
  readonly metadata: MetadataFiles;
  readonly calls: DiskCalls;
  readonly #folder: SiteFolder;
  readonly #dirty: DirtyDirectories;
  readonly #journal: CandidateJournal;

  /** `directory`: a directory that `initSite` made. `now`: a monotonic clock, milliseconds. */
  constructor(
    directory: string,
    identity: SiteIdentity,
    now: () => number = () => performance.now(),
    calls: DiskCalls = DISK_CALLS,
  ) {
    this.site = identity.site;
    this.calls = calls;
    this.metadata = new MetadataFiles(directory);
    this.#folder = new SiteFolder(directory, identity, now, calls, () => {
      this.#dirty.moved();
      this.#journal.moved();
    });
    this.#dirty = new DirtyDirectories((path) => syncFolder(this.path(path), calls));
    this.#journal = new CandidateJournal({
      directory,
      site: this.site,
      calls,
      requireSameFolder: () => {
        this.#folder.requireSameFolder();
      },
    });
  }

  /** Runs `work` in the verified folder, and maps failed system calls to the site's errors. */
  async use<T>(work: () => Promise<T>): Promise<T> {
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

  path(relative: string): string {
    // `join` takes longer than the system call.
    return `${this.#folder.directory}/${relative}`;
  }

  /** The path of the object's file; `undefined`: there is none. */
  objectFile(submission: string): string | undefined {
    return [objectPath(submission), earlierObjectPath(submission)].find((path) =>
      this.calls.exists(this.path(path)),
    );
  }

  /** Creates an object. `false`: another attempt's bytes got the name first. */
  async createObject(object: ObjectContent): Promise<boolean> {
    const { submission } = object;
    // Checking first saves the writes of a duplicate, and finds what version 0.1 wrote.
    if (this.objectFile(submission) !== undefined) return false;
    const created = await this.#named(this.#announced(object), (temporary) =>
      this.#link(temporary, objectPath(submission), [objectDirectory(submission)]),
    );
    if (created) this.#dirty.touch(objectDirectory(submission));
    return created;
  }

  /**
   * Puts an object in the place of the file at `path`. `isStill`: asked right before that, with
   * nothing of this process in between. `false`: it is not.
   */
  async replaceObject(
    path: string,
    object: ObjectContent,
    isStill: () => boolean,
  ): Promise<boolean> {
    const replaced = await this.#named(this.#announced(object), (temporary) => {
      if (!isStill()) return false;
      this.calls.rename(temporary, this.path(path));
      return true;
    });
    if (replaced) this.#dirty.touch(posix.dirname(path));
    return replaced;
  }

  /** Creates a file, below `directories`, the outermost first. `false`: the name is taken. */
  async createFile(
    path: string,
    bytes: Uint8Array,
    directories: readonly string[],
  ): Promise<boolean> {
    return await this.#named({ bytes }, (temporary) => this.#link(temporary, path, directories));
  }

  /** Puts a file at `path`, in the place of what is there. `directories` as for `createFile`. */
  async putFile(path: string, bytes: Uint8Array, directories: readonly string[]): Promise<void> {
    await this.#named({ bytes }, (temporary) => {
      this.#inDirectories(directories, () => {
        this.calls.rename(temporary, this.path(path));
      });
      return true;
    });
  }

  /** Durable after `flush`. `false`: there is none. */
  removeFile(path: string): boolean {
    const removed = this.#remove(this.path(path));
    if (removed) this.touch(path);
    return removed;
  }

  /** Makes a file's name durable with the next `flush`. */
  touch(path: string): void {
    this.#dirty.touch(posix.dirname(path));
  }

  /** Makes a file's name durable now. */
  async syncName(path: string): Promise<void> {
    this.#dirty.touch(posix.dirname(path));
    await this.#dirty.flush();
  }

  /** An object's file was found; its creator may have crashed before the sync. */
  found(path: string, submission: string): void {
    this.#dirty.touch(posix.dirname(path));
    // Version 0.1 relied on it for the metadata too.
    if (path === earlierObjectPath(submission)) this.#dirty.touch(metadataDirectory(submission));
  }

  async flush(): Promise<void> {
    await this.#dirty.flush();
    await this.#journal.fold();
  }

  #announced({ submission, bytes, metadata }: ObjectContent): NewFile {
    return { bytes, before: () => this.#journal.append(encodeCandidate(submission, metadata)) };
  }

  /** `name`: gives the finished file its name, without waiting for anything. */
  async #named(
    { bytes, before = () => Promise.resolve() }: NewFile,
    name: (temporary: string) => boolean,
  ): Promise<boolean> {
    const temporary = this.path(`${TEMPORARY_DIRECTORY}/${randomUUID()}`);
    try {
      // Both are waited for, because the temporary file is removed after a failure.
      const steps = await Promise.allSettled([this.#write(temporary, bytes), before()]);
      for (const step of steps) if (step.status === 'rejected') throw step.reason;
      // From here on the name fails if the path changes, because the temporary file is only in this
      // folder.
      this.#folder.requireSameFolder();
      return name(temporary);
    } finally {
      this.#remove(temporary);
    }
  }

  /** Writes a new file and makes its content durable. */
  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.calls.create(path, FILE_MODE);
    try {
      for (let at = 0; at < bytes.length;)
        at += await this.calls.write(file, at === 0 ? bytes : bytes.subarray(at));
      await this.calls.sync(file);
    } finally {
      this.calls.close(file);
    }
  }

  /** Links the finished file to its name, if that is free: link(2) is atomic. */
  #link(temporary: string, path: string, directories: readonly string[]): boolean {
    try {
      this.#inDirectories(directories, () => {
        this.calls.link(temporary, this.path(path));
      });
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** Makes the directories if one is missing. */
  #inDirectories(directories: readonly string[], name: () => void): void {
    try {
      name();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      for (const directory of directories)
        if (this.calls.mkdir(this.path(directory))) this.#dirty.made(directory);
      name();
    }
  }

  #remove(path: string): boolean {
    try {
      this.calls.unlink(path);
      return true;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return false;
    }
  }
}

/** Throws `INVALID_OBJECT_KEY` (stop) for a key that is no sample's. */
export function submissionOf(key: string): string {
  const submission = submissionOfKey(key);
  if (submission !== undefined) return submission;
  throw invalidKey();
}

export function invalidKey(): FilesystemError {
  return new FilesystemError({
    code: 'INVALID_OBJECT_KEY',
    message:
      'Expected the key of a sample object, found another. This is a defect of the caller: report it.',
    remedy: 'stop',
  });
}
