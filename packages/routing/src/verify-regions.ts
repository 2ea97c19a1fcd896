import type { PolicyPublished } from '@residency/residency';
import type { Sites } from './ports/sites.ts';
import { RoutingError } from './routing-error.ts';

export interface RegionsDeps {
  readonly sites: Sites;
  /** `newest`: anything but `undefined` where the region has a key to seal with. */
  readonly keys: { newest(region: string): unknown };
}

/**
 * Every site of every published policy, in force yet or not, is the site it is taken for, and every region has a key:
 * before the first record is read (DESIGN §2.9). Throws `NO_SEALING_KEY` and what `Sites.store` throws.
 */
export async function verifyRegions(
  versions: readonly PolicyPublished[],
  { sites, keys }: RegionsDeps,
): Promise<void> {
  for (const { id: region, sites: names } of versions.flatMap(({ document }) => document.regions)) {
    if (keys.newest(region) === undefined) {
      throw new RoutingError({
        code: 'NO_SEALING_KEY',
        message: `Expected a public key of region ${region} to seal with, found none; add one with: residency keys add --region ${region}`,
        remedy: 'stop',
      });
    }
    for (const site of names) await sites.store(site, region);
  }
}
