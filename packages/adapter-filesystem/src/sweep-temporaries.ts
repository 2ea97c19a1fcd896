import { opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inSite } from './filesystem-error.ts';
import { TEMPORARY_DIRECTORY } from './site-layout.ts';

/**
 * Removes what crashed attempts left in a site's `tmp/`; returns how many files. Only for whoever holds the routing
 * lock: it would make the attempts of a live router fail (and be repeated).
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
