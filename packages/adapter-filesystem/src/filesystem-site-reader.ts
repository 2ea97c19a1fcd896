import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSetAsideKey, sha256, submissionOfKey } from '@residency/contracts';
import type { SubmissionList } from '@residency/custodianship';
import type { FoundEntry, FoundObject, SiteReader } from '@residency/reconciliation';
import { DISK_CALLS } from './disk-calls.ts';
import { openRegular } from './durable-files.ts';
import { errnoOf, inSite, siteError } from './filesystem-error.ts';
import { MetadataFiles, holdsCandidates } from './metadata-files.ts';
import { TEMPORARY_DIRECTORY, housekeepingOf, keyOfPath, objectPath } from './site-layout.ts';

/** Submissions that are handed over at once. */
const PAGE = 1_000;

/** Reads one site's directory; opens nothing for writing. */
export class FilesystemSiteReader implements SiteReader, SubmissionList {
  readonly site: string;
  readonly #directory: string;
  readonly #metadata: MetadataFiles;

  constructor(directory: string, site: string) {
    this.site = site;
    this.#directory = directory;
    this.#metadata = new MetadataFiles(directory);
  }

  /**
   * Streams the site's entries: memory does not grow with the site.
   *
   * Anything that is neither an object nor housekeeping is listed by its path, including links and
   * special files. Directories are not listed. A metadata file is housekeeping, with or without its
   * object: an attempt that runs or was killed wrote its line before the object. A temporary file
   * may belong to a running attempt; use `temporaries` if no attempt runs.
   */
  async *list(): AsyncGenerator<FoundEntry> {
    try {
      yield* this.#walk('');
    } catch (cause) {
      throw siteError(this.site, cause);
    }
  }

  /** Of `samples` alone. */
  async *submissions(): AsyncGenerator<readonly string[]> {
    let page: string[] = [];
    try {
      for await (const { key, foreign } of this.#walk('samples')) {
        const submission = foreign ? undefined : submissionOfKey(key);
        if (submission === undefined) continue;
        page.push(submission);
        if (page.length < PAGE) continue;
        yield page;
        page = [];
      }
    } catch (cause) {
      throw siteError(this.site, cause);
    }
    yield page;
  }

  /**
   * Temporary files. Only for the holder of the routing lock: without running attempts, they come
   * from a crash or from somebody else.
   */
  async temporaries(): Promise<readonly FoundEntry[]> {
    return await inSite(this.site, async () => {
      const found: FoundEntry[] = [];
      for await (const { name } of await opendir(join(this.#directory, TEMPORARY_DIRECTORY))) {
        const key = `${TEMPORARY_DIRECTORY}/${name}`;
        if (housekeepingOf(key) === 'temporary') found.push({ key, foreign: true });
      }
      return found;
    });
  }

  /** `metadata` is the candidate whose digest matches the bytes; absent if none does. */
  async read(key: string): Promise<FoundObject | undefined> {
    if (!isPlainPath(key)) return undefined;
    return await inSite(this.site, async () => {
      const submission = submissionOfKey(key);
      if (submission === undefined) {
        const bytes = await this.#bytes(key);
        return bytes === undefined ? undefined : { bytes };
      }
      const bytes = (await this.#bytes(objectPath(submission))) ?? (await this.#bytes(key));
      if (bytes === undefined) return undefined;
      const metadata = await this.#metadata.find(submission, sha256(bytes));
      return metadata === undefined ? { bytes } : { bytes, metadata };
    });
  }

  async *#walk(directory: string): AsyncGenerator<FoundEntry> {
    for await (const entry of await opendir(join(this.#directory, directory))) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) yield* this.#walk(path);
      else if (!entry.isFile()) yield { key: keyOfPath(path) ?? path, foreign: true };
      else if (!(await this.#isHousekeeping(path))) yield this.#entry(path);
    }
  }

  #entry(path: string): FoundEntry {
    const key = keyOfPath(path);
    if (key === undefined) return { key: path, foreign: !isSetAsideKey(path) };
    const submission = submissionOfKey(key) ?? '';
    // A second file of one object is not the object: `read` prefers the other.
    const second = path === key && DISK_CALLS.exists(join(this.#directory, objectPath(submission)));
    return { key, foreign: second };
  }

  async #isHousekeeping(path: string): Promise<boolean> {
    const kind = housekeepingOf(path);
    return kind === 'metadata' ? await holdsCandidates(this.#directory, path) : kind !== undefined;
  }

  async #bytes(key: string): Promise<Buffer | undefined> {
    try {
      const file = await openRegular(join(this.#directory, key));
      if (file === undefined) return undefined;
      try {
        return await file.readFile();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!ABSENT.has(errnoOf(error) ?? '')) throw error;
      // Throws if the site's folder is missing: a site that is not mounted must not look empty.
      await (await opendir(join(this.#directory, 'samples'))).close();
      return undefined;
    }
  }
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

/** Keys come from audit events and from the directory itself. None may lead out of the site. */
function isPlainPath(key: string): boolean {
  return (
    !key.includes('\0') &&
    key.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
