import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, submissionOfKey } from '@residency/contracts';
import type { FoundEntry, FoundObject, SiteReader } from '@residency/reconciliation';
import { openRegular } from './durable-files.ts';
import { errnoOf, inSite, siteError } from './filesystem-error.ts';
import { candidateFor, holdsCandidates, readCandidates } from './metadata-candidates.ts';
import { TEMPORARY_DIRECTORY, housekeepingOf, metadataPath } from './site-layout.ts';

/** Reads one site's directory; opens nothing for writing. */
export class FilesystemSiteReader implements SiteReader {
  readonly site: string;
  readonly #directory: string;

  constructor(directory: string, site: string) {
    this.site = site;
    this.#directory = directory;
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
      const bytes = await this.#bytes(key);
      if (bytes === undefined) return undefined;
      const submission = submissionOfKey(key);
      const candidates =
        submission === undefined
          ? []
          : await readCandidates(join(this.#directory, metadataPath(submission)));
      const metadata = candidateFor(candidates, sha256(bytes));
      return metadata === undefined ? { bytes } : { bytes, metadata };
    });
  }

  async *#walk(directory: string): AsyncGenerator<FoundEntry> {
    for await (const entry of await opendir(join(this.#directory, directory))) {
      const key = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) yield* this.#walk(key);
      else if (!entry.isFile()) yield { key, foreign: true };
      else if (!(await this.#isHousekeeping(key)))
        yield { key, foreign: submissionOfKey(key) === undefined };
    }
  }

  async #isHousekeeping(key: string): Promise<boolean> {
    const kind = housekeepingOf(key);
    return kind === 'metadata'
      ? await holdsCandidates(join(this.#directory, key))
      : kind !== undefined;
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
