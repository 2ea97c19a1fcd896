import { initSite, verifySite } from '@residency/adapter-filesystem';
import type { KeyDirectory } from '@residency/adapter-filesystem';
import { generateRegionKey } from '@residency/sealing';
import type { PolicyDocument } from '@residency/residency';
import { StandaloneError } from './standalone-error.ts';

/** The part of a data directory that its regions use. */
export interface RegionPlaces {
  readonly keys: KeyDirectory;
  sitePath(site: string): string;
}

/**
 * Creates what a policy's regions need before its version is published: sites with their markers,
 * and a first key for each region. Sites and keys of a published version must exist. A missing one
 * was lost, and is not recreated over stored samples. A site that is out of service (`out`) is not
 * looked at. Throws `SITE_MARKER_MISSING` and
 * `SEALING_KEYS_LOST`.
 */
export async function prepareRegions(
  data: RegionPlaces,
  document: PolicyDocument,
  published: readonly PolicyDocument[] = [],
  out: ReadonlySet<string> = new Set(),
): Promise<void> {
  const known = published.flatMap(({ regions }) => regions);
  for (const { id: region, sites } of document.regions) {
    for (const site of sites) {
      if (out.has(site)) continue;
      const stood = known.some((one) => one.sites.includes(site));
      await (stood ? verifySite : initSite)(data.sitePath(site), { region, site });
    }
    if (data.keys.newest(region) !== undefined) continue;
    if (known.some(({ id }) => id === region))
      throw new StandaloneError({
        code: 'SEALING_KEYS_LOST',
        message: `Expected a key of region ${region}, which a published policy names, found none; restore the folder keys/ from a backup, because without it what was sealed does not open. If it is lost for good, residency keys add --region ${region} makes one for what comes.`,
        remedy: 'stop',
      });
    await data.keys.add(region, await generateRegionKey(region, Date.now()));
  }
}
