import { decodeObjectMetadata } from '@residency/contracts';
import type { ObjectMetadata, SiteIdentity } from '@residency/contracts';
import type { CreateResult, ObjectHead, ObjectStore } from '@residency/routing';
import type { DiskCalls } from './disk-calls.ts';
import { digestFile } from './durable-files.ts';
import { FilesystemError } from './filesystem-error.ts';
import { SiteFiles, submissionOf } from './site-files.ts';

/**
 * One site as a directory. The bytes and the metadata of an attempt are durable before the bytes are
 * linked to their name. The link is the commit: a crash leaves at most a temporary file and metadata
 * without bytes. Before each use, `SiteFolder` verifies the site; its errors are thrown.
 */
export class FilesystemObjectStore implements ObjectStore {
  readonly site: string;
  readonly #files: SiteFiles;

  /** `directory`: a directory that `initSite` made. `now`: a monotonic clock, milliseconds. */
  constructor(directory: string, identity: SiteIdentity, now?: () => number, calls?: DiskCalls) {
    this.site = identity.site;
    this.#files = new SiteFiles(directory, identity, now, calls);
  }

  async create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult> {
    const submission = submissionOf(key);
    return await this.#files.use(async () => {
      if (await this.#files.createObject({ submission, bytes: sealed, metadata }))
        return { created: true };
      const existing = await this.#find(key, submission);
      if (existing === undefined) throw this.#metadataMissing(key);
      return { created: false, existing };
    });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return await this.#files.use(() => this.#find(key, submissionOf(key)));
  }

  async flush(): Promise<void> {
    await this.#files.use(() => this.#files.flush());
  }

  /** The object under the key, with the candidate whose digest matches its bytes. */
  async #find(key: string, submission: string): Promise<ObjectHead | undefined> {
    const path = this.#files.objectFile(submission);
    const found = path === undefined ? undefined : await digestFile(this.#files.path(path));
    if (path === undefined || found === undefined) return undefined;
    const metadata = await this.#files.metadata.find(submission, found.sha256);
    if (metadata === undefined) throw this.#metadataMissing(key);
    this.#files.found(path, submission);
    return { metadata: decodeObjectMetadata(metadata), bytes: found.bytes };
  }

  #metadataMissing(key: string): FilesystemError {
    return new FilesystemError({
      code: 'METADATA_MISSING',
      message: `Expected a line beside ${key} in site ${this.site} whose sealed-sha256 is that of the bytes there, found none: the file was altered, or its metadata is lost. Restore both from one copy of the site, or move the file out of the site (it can then be routed again), and redrive what was quarantined meanwhile.`,
      remedy: 'park',
    });
  }
}
