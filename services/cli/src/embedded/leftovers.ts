import type { FilesystemSiteReader } from '@residency/adapter-filesystem';
import { hasCode } from '@residency/coded-error';
import type { FoundEntry } from '@residency/reconciliation';
import { lockRouting } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';

/**
 * Temporary files in the sites' `tmp/` that no attempt is writing. Empty while a router runs,
 * because it may be writing them. Listed under the routing lock: a check of the lock before the
 * listing could accuse a router that starts in between. That keeps a router off while the
 * directories are read, which are empty except after a crash, not for the whole run.
 */
export async function leftovers(
  data: DataDirectory,
  readers: readonly FilesystemSiteReader[],
): Promise<ReadonlyMap<string, readonly FoundEntry[]>> {
  const found = new Map<string, readonly FoundEntry[]>();
  // No router runs on a directory that cannot be written.
  if (data.readOnly) {
    for (const reader of readers) found.set(reader.site, await reader.temporaries());
    return found;
  }
  let lock: Awaited<ReturnType<typeof lockRouting>>;
  try {
    lock = await lockRouting(data);
  } catch (error) {
    if (hasCode(error, 'ROUTING_LOCKED')) return found;
    throw error;
  }
  try {
    for (const reader of readers) found.set(reader.site, await reader.temporaries());
  } finally {
    await lock.release();
  }
  return found;
}
