import type { FilesystemSiteReader } from '@residency/adapter-filesystem';
import { hasCode } from '@residency/coded-error';
import type { FoundEntry } from '@residency/reconciliation';
import { lockRouting } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';

/**
 * What stands in the sites' `tmp/` and is nobody's work; empty while somebody routes, since then it may be. Listed under
 * the routing lock: to look whether it is free and list afterwards would accuse a router that starts in between. That
 * holds a router off for the time of reading directories which are empty but after a crash, not for the whole run.
 */
export async function leftovers(
  data: DataDirectory,
  readers: readonly FilesystemSiteReader[],
): Promise<ReadonlyMap<string, readonly FoundEntry[]>> {
  const found = new Map<string, readonly FoundEntry[]>();
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
