import { remedyOf } from '@residency/coded-error';
import { serviceOf, sitesInService } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { settleWith, validPolicies } from '@residency/residency';
import type { PolicyPublished, PolicyRegion } from '@residency/residency';
import type { Sites } from './ports/sites.ts';
import { RoutingError } from './routing-error.ts';

export interface RegionsDeps {
  readonly sites: Sites;
  /** `newest`: returns `undefined` if the region has no key that can seal. */
  readonly keys: { newest(region: string): unknown };
  /** Sites that it says are out of service are not opened. */
  readonly control: ControlState;
  /** Called for each site that cannot be reached and may be owed its copies. */
  readonly away?: (site: string, error: unknown) => void;
}

/**
 * Verifies the marker of every site of every valid policy version, in force or not, and that every
 * region has a key. Call before the first record is read (DESIGN §2.9). A site that cannot be
 * reached and may be owed is verified before its first use. Throws `NO_SEALING_KEY` and the errors
 * of `Sites.store`.
 */
export async function verifyRegions(
  versions: readonly PolicyPublished[],
  { sites, keys, control, away }: RegionsDeps,
): Promise<void> {
  for (const named of validPolicies(versions).flatMap(({ document }) => document.regions)) {
    const { id: region } = named;
    if (keys.newest(region) === undefined) {
      throw new RoutingError({
        code: 'NO_SEALING_KEY',
        message: `Expected a public key of region ${region} to seal with, found none; add one with: residency keys add --region ${region}`,
        remedy: 'stop',
      });
    }
    const serving = sitesInService(serviceOf(control, region), named.sites);
    await verifySites({ ...named, sites: serving }, sites, away);
  }
}

async function verifySites(
  region: PolicyRegion,
  sites: Sites,
  away: RegionsDeps['away'],
): Promise<void> {
  let owed = 0;
  for (const [index, site] of region.sites.entries()) {
    const owable = index > 0 && owed < region.sites.length - settleWith(region);
    try {
      await sites.store(site, region.id, { owable });
    } catch (error) {
      if (!owable || remedyOf(error) !== 'retry') throw error;
      owed += 1;
      away?.(site, error);
    }
  }
}
