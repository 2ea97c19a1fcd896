import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { decodeObjectMetadata, submissionOfKey } from '@residency/contracts';
import type { ObjectMetadata, SiteIdentity } from '@residency/contracts';
import type { CreateResult, ObjectHead, ObjectStore } from '@residency/routing';
import { DirtyDirectories } from './dirty-directories.ts';
import {
  digestFile,
  linkIfFree,
  makeDirectories,
  removeIfThere,
  syncDirectory,
  writeNewFile,
} from './durable-files.ts';
import { FilesystemError, errnoOf, inSite } from './filesystem-error.ts';
import { appendCandidate, candidateFor, readCandidates } from './metadata-candidates.ts';
import { SiteFolder } from './site-folder.ts';
import {
  TEMPORARY_DIRECTORY,
  metadataDirectory,
  metadataPath,
  objectDirectories,
} from './site-layout.ts';

/**
 * One site as a directory. The metadata of an attempt is durable before its bytes are linked to
 * their name. The link is the commit: a crash leaves at most a temporary file and metadata without
 * bytes. `create` makes directories inside `samples/` and `metadata/`, but never these two or the
 * site itself, which may be on a disk that is not mounted. Before each use, `SiteFolder` verifies
 * the site; its errors are thrown.
 */
export class FilesystemObjectStore implements ObjectStore {
  readonly site: string;
  readonly #folder: SiteFolder;
  readonly #dirty: DirtyDirectories;

  /** `directory`: a directory that `initSite` made. `now`: a monotonic clock, milliseconds. */
  constructor(
    directory: string,
    identity: SiteIdentity,
    now: () => number = () => performance.now(),
  ) {
    this.site = identity.site;
    this.#folder = new SiteFolder(directory, identity, now, () => {
      this.#dirty.moved();
    });
    this.#dirty = new DirtyDirectories((path) => syncDirectory(this.#path(path)));
  }

  async create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult> {
    const submission = submissionOf(key);
    return await this.#inSite(async () => {
      // Checking first saves the writes of a duplicate, and prevents the metadata file from growing
      // with each.
      const standing = await this.#find(key, submission);
      if (standing !== undefined) return { created: false, existing: standing };
      if (await this.#place(key, submission, sealed, metadata)) return { created: true };
      const existing = await this.#find(key, submission);
      if (existing === undefined) throw this.#metadataMissing(key);
      return { created: false, existing };
    });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return await this.#inSite(() => this.#find(key, submissionOf(key)));
  }

  async flush(): Promise<void> {
    await this.#inSite(() => this.#dirty.flush());
  }

  async #inSite<T>(work: () => Promise<T>): Promise<T> {
    return await inSite(this.site, async () => {
      try {
        await this.#folder.requireVerified();
        const result = await work();
        // If the path changed meanwhile, the object that was found or synced may be in another
        // folder.
        await this.#folder.requireSameFolder();
        return result;
      } catch (error) {
        this.#folder.doubt();
        throw error;
      }
    });
  }

  /** `false`: another attempt's bytes got the name first. */
  async #place(
    key: string,
    submission: string,
    sealed: Uint8Array,
    metadata: ObjectMetadata,
  ): Promise<boolean> {
    const temporary = this.#path(`${TEMPORARY_DIRECTORY}/${randomUUID()}`);
    try {
      await writeNewFile(temporary, sealed);
      await this.#inDirectories([metadataDirectory(submission)], () =>
        appendCandidate(this.#path(metadataPath(submission)), metadata, this.site),
      );
      // From here on the link fails if the path changes, because the temporary file is only in this
      // folder.
      await this.#folder.requireSameFolder();
      const created = await this.#inDirectories(objectDirectories(submission), () =>
        linkIfFree(temporary, this.#path(key)),
      );
      if (created) this.#touch(submission);
      return created;
    } finally {
      await removeIfThere(temporary);
    }
  }

  /** The object under the key, with the candidate whose digest matches its bytes. */
  async #find(key: string, submission: string): Promise<ObjectHead | undefined> {
    const found = await digestFile(this.#path(key));
    if (found === undefined) return undefined;
    const candidate = candidateFor(
      await readCandidates(this.#path(metadataPath(submission))),
      found.sha256,
    );
    if (candidate === undefined) throw this.#metadataMissing(key);
    // Its creator may have crashed before the sync.
    this.#touch(submission);
    return { metadata: decodeObjectMetadata(candidate), bytes: found.bytes };
  }

  /** Most directories exist, so they are made only if the first attempt failed for lack of one. */
  async #inDirectories<T>(directories: readonly string[], attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    for (const directory of await makeDirectories(this.#folder.directory, directories))
      this.#dirty.made(directory);
    return await attempt();
  }

  #touch(submission: string): void {
    this.#dirty.touch(objectDirectories(submission)[1]);
    this.#dirty.touch(metadataDirectory(submission));
  }

  #path(relative: string): string {
    return join(this.#folder.directory, relative);
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
