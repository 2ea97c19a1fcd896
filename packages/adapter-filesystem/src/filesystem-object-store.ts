import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { decodeObjectMetadata, submissionOfKey } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
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
import {
  TEMPORARY_DIRECTORY,
  metadataDirectory,
  metadataPath,
  objectDirectories,
} from './site-layout.ts';

/**
 * One site as a directory. An attempt's metadata is durable before its bytes get their name, and that link commits:
 * a crash leaves at most a temporary file and a candidate that speaks of no bytes. `create` makes directories inside
 * `samples/` and `metadata/`, never those or the site itself, which may be a disk that is not mounted.
 */
export class FilesystemObjectStore implements ObjectStore {
  readonly site: string;
  readonly #directory: string;
  readonly #dirty: DirtyDirectories;

  /** `directory`: the site's own, made by `initSite`. */
  constructor(directory: string, site: string) {
    this.site = site;
    this.#directory = directory;
    this.#dirty = new DirtyDirectories((path) => syncDirectory(this.#path(path)));
  }

  async create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult> {
    const submission = submissionOfKey(key);
    if (submission === undefined) {
      throw new FilesystemError({
        code: 'INVALID_OBJECT_KEY',
        message:
          'Expected the key of a sample object, found another. This is a defect of the caller: report it.',
        remedy: 'stop',
      });
    }
    return await inSite(this.site, async () => {
      // Looking first spares a duplicate its writes, and keeps the candidates from growing each time one is sent.
      const standing = await this.#find(key, submission);
      if (standing !== undefined) return { created: false, existing: standing };
      if (await this.#place(key, submission, sealed, metadata)) return { created: true };
      const existing = await this.#find(key, submission);
      if (existing === undefined) throw this.#metadataMissing(key);
      return { created: false, existing };
    });
  }

  async flush(): Promise<void> {
    await inSite(this.site, () => this.#dirty.flush());
  }

  /** `false` where somebody else's bytes got the name first. */
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
      const created = await this.#inDirectories(objectDirectories(submission), () =>
        linkIfFree(temporary, this.#path(key)),
      );
      if (created) this.#touch(submission);
      return created;
    } finally {
      await removeIfThere(temporary);
    }
  }

  /** What stands under the key, with the candidate that speaks of just these bytes. */
  async #find(key: string, submission: string): Promise<ObjectHead | undefined> {
    const found = await digestFile(this.#path(key));
    if (found === undefined) return undefined;
    const candidate = candidateFor(
      await readCandidates(this.#path(metadataPath(submission))),
      found.sha256,
    );
    if (candidate === undefined) throw this.#metadataMissing(key);
    // Its creator may have crashed before it synced.
    this.#touch(submission);
    return { metadata: decodeObjectMetadata(candidate), bytes: found.bytes };
  }

  /** Most directories exist, so they are made only where the first attempt missed them. */
  async #inDirectories<T>(directories: readonly string[], attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    for (const directory of await makeDirectories(this.#directory, directories))
      this.#dirty.made(directory);
    return await attempt();
  }

  #touch(submission: string): void {
    this.#dirty.touch(objectDirectories(submission)[1]);
    this.#dirty.touch(metadataDirectory(submission));
  }

  #path(relative: string): string {
    return join(this.#directory, relative);
  }

  #metadataMissing(key: string): FilesystemError {
    return new FilesystemError({
      code: 'METADATA_MISSING',
      message: `Expected a line beside ${key} in site ${this.site} whose sealed-sha256 is that of the bytes there, found none: the file was altered, or its metadata is lost. Restore both from one copy of the site, or move the file out of the site (it can then be routed anew), and redrive what was quarantined meanwhile.`,
      remedy: 'park',
    });
  }
}
