import { sitesByRegion } from '@residency/reconciliation';
import { usage } from '../terminal/cli-error.ts';
import type { System } from './system.ts';

/** Throws if no policy has the region: an empty list would look like an answer. */
export async function checkRegion(system: Pick<System, 'policies'>, region: string): Promise<void> {
  refuseUnknown([...sitesByRegion(await system.policies()).keys()], region);
}

export function refuseUnknown(regions: readonly string[], region: string): void {
  if (!regions.includes(region))
    throw usage(`Expected --region to be one of ${regions.join(', ')}, found another.`);
}
