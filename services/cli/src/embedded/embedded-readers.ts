import { FilesystemSiteReader, verifySite } from '@residency/adapter-filesystem';
import { MarkerWatch } from '@residency/contracts';
import { watched, watchedList } from '@residency/reconciliation';
import type { FoundEntry, SiteReader } from '@residency/reconciliation';
import type { DataDirectory } from '@residency/standalone';
import { foreignSites } from './foreign-sites.ts';
import { leftovers } from './leftovers.ts';
import type { ComparedSites } from '../system/system.ts';

/** A site's reader. It fails once the folder does not hold the site's marker any more. */
export function embeddedReader(data: DataDirectory, site: string, region: string): SiteReader {
  return watched(readerOf(data, site), markerWatch(data, site, region));
}

/** As the list of `verifiedReader`. */
export function submissionsIn(
  data: DataDirectory,
  site: string,
  region: string,
): AsyncIterable<readonly string[]> {
  return watchedList(readerOf(data, site).submissions(), markerWatch(data, site, region));
}

function markerWatch(data: DataDirectory, site: string, region: string): MarkerWatch {
  return new MarkerWatch(() => verifySite(data.sitePath(site), { region, site }), {
    now: () => performance.now(),
  });
}

/** Throws if it is not there, or is another site's. */
export async function verifiedReader(
  data: DataDirectory,
  site: string,
  region: string,
): Promise<SiteReader> {
  // A disk that is not mounted must not pass for an empty site.
  await verifySite(data.sitePath(site), { region, site });
  return embeddedReader(data, site, region);
}

export async function comparedSites(
  data: DataDirectory,
  named: ReadonlyMap<string, ReadonlySet<string>>,
  out: ReadonlySet<string>,
): Promise<ComparedSites> {
  const readers: FilesystemSiteReader[] = [];
  const watchedReaders: SiteReader[] = [];
  for (const [region, sites] of named) {
    for (const site of sites) {
      if (out.has(site)) {
        watchedReaders.push(embeddedReader(data, site, region));
        continue;
      }
      watchedReaders.push(await verifiedReader(data, site, region));
      readers.push(readerOf(data, site));
    }
  }
  const left = await leftovers(data, readers);
  const foreign = await foreignSites(data, new Set(watchedReaders.map(({ site }) => site)));
  return {
    readers: watchedReaders.map((reader) => preceded(left.get(reader.site) ?? [], reader)),
    foreign,
  };
}

function readerOf(data: DataDirectory, site: string): FilesystemSiteReader {
  return new FilesystemSiteReader(data.sitePath(site), site);
}

/** The reader, with these entries listed first. */
function preceded(entries: readonly FoundEntry[], reader: SiteReader): SiteReader {
  return {
    site: reader.site,
    async *list(prefix) {
      yield* entries;
      yield* reader.list(prefix);
    },
    read: (key) => reader.read(key),
  };
}
