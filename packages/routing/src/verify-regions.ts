import { validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import type { Sites } from './ports/sites.ts';
import { RoutingError } from './routing-error.ts';

export interface RegionsDeps {
  readonly sites: Sites;
  /** `newest`: returns `undefined` if the region has no key that can seal. */
  readonly keys: { newest(region: string): unknown };
}

/**
 * Verifies the marker of every site of every valid policy version, in force or not, and that every
 * region has a key. Call before the first record is read (DESIGN §2.9). Throws `NO_SEALING_KEY` and
 * the errors of `Sites.store`.
 */
export async function verifyRegions(
  versions: readonly PolicyPublished[],
  { sites, keys }: RegionsDeps,
): Promise<void> {
  for (const { id: region, sites: names } of validPolicies(versions).flatMap(
    ({ document }) => document.regions,
  )) {
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
