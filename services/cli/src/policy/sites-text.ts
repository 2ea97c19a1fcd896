import { settleWith } from '@residency/residency';
import type { PolicyRegion } from '@residency/residency';

/** A region's sites in writing order, and how many must have a sample if that is not all of them. */
export function sitesText(region: PolicyRegion): string {
  const [least, sites] = [settleWith(region), region.sites.join(', ')];
  return least === region.sites.length ? sites : `${sites} (stored with ${least})`;
}
