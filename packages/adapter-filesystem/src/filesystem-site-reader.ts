import { opendir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, submissionOfKey } from '@residency/contracts';
import type { FoundObject, SiteReader } from '@residency/reconciliation';
import { errnoOf, inSite, siteError } from './filesystem-error.ts';
import { candidateFor, readCandidates } from './metadata-candidates.ts';
import { isHousekeeping, metadataPath } from './site-layout.ts';

/** Reads one site's directory; opens nothing for writing. */
export class FilesystemSiteReader implements SiteReader {
  readonly site: string;
  readonly #directory: string;

  constructor(directory: string, site: string) {
    this.site = site;
    this.#directory = directory;
  }

  /**
   * A stream: memory does not grow with the site. Whatever is neither an object nor housekeeping (marker, metadata,
   * temporary files) is named by its path, links and special files too; directories are not things.
   */
  async *list(): AsyncGenerator<string> {
    try {
      yield* this.#walk('');
    } catch (cause) {
      throw siteError(this.site, cause);
    }
  }

  /** Metadata is the candidate that speaks of just these bytes; absent where none does. */
  async read(key: string): Promise<FoundObject | undefined> {
    if (!isPlainPath(key)) return undefined;
    return await inSite(this.site, async () => {
      const bytes = await this.#bytes(key);
      if (bytes === undefined) return undefined;
      const submission = submissionOfKey(key);
      const candidates = submission === undefined ? [] : await readCandidates(join(this.#directory, metadataPath(submission)));
      const metadata = candidateFor(candidates, sha256(bytes));
      return metadata === undefined ? { bytes } : { bytes, metadata };
    });
  }

  async *#walk(directory: string): AsyncGenerator<string> {
    for await (const entry of await opendir(join(this.#directory, directory))) {
      const key = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) yield* this.#walk(key);
      else if (!entry.isFile() || !isHousekeeping(key)) yield key;
    }
  }

  async #bytes(key: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#directory, key));
    } catch (error) {
      if (!ABSENT.has(errnoOf(error) ?? '')) throw error;
      // A site that is not mounted must not look like one without objects: this throws where it is not there.
      await (await opendir(join(this.#directory, 'samples'))).close();
      return undefined;
    }
  }
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

/** Keys come from audit events and from the directory itself: none may lead out of the site. */
function isPlainPath(key: string): boolean {
  return !key.includes('\0') && key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
