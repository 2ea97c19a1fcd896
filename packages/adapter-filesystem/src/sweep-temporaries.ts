import { opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inSite } from './filesystem-error.ts';
import { TEMPORARY_DIRECTORY } from './site-layout.ts';

/**
 * Removes the files of crashed attempts from a site's `tmp/` and returns their number. Only for the
 * holder of the routing lock: the attempts of a running router would fail and be repeated.
 */
export async function sweepTemporaries(directory: string, site: string): Promise<number> {
  return await inSite(site, async () => {
    let removed = 0;
    for await (const entry of await opendir(join(directory, TEMPORARY_DIRECTORY))) {
      await rm(join(directory, TEMPORARY_DIRECTORY, entry.name), { force: true, recursive: true });
      removed += 1;
    }
    return removed;
  });
}
