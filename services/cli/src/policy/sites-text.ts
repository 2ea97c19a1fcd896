import { settleWith } from '@residency/residency';
import type { PolicyRegion } from '@residency/residency';

/**
 * A region's sites in writing order, how many must have a sample if that is not all of them, and how
 * long samples are kept if that has a limit.
 */
export function sitesText(region: PolicyRegion): string {
  const { sites, keepDays } = region;
  const least = settleWith(region);
  const limits = [
    ...(least === sites.length ? [] : [`stored with ${least}`]),
    ...(keepDays === undefined ? [] : [`kept for ${keepDays} days`]),
  ];
  return `${sites.join(', ')}${limits.length === 0 ? '' : ` (${limits.join(', ')})`}`;
}
