import { readFile } from 'node:fs/promises';
import { readPolicy } from '@residency/contracts';
import { sitesByRegion } from '@residency/reconciliation';
import type { PolicyPublished } from '@residency/residency';
import { FIRST_POLICY } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { usage } from './cli-error.ts';
import type { System } from './system.ts';

/** What a data directory begins with. */
export async function firstPolicy(now: () => number): Promise<PolicyPublished> {
  return { ...readPolicy(await readFile(FIRST_POLICY)), appendedAt: now() };
}

export async function publishedOn({
  log,
}: Pick<DataDirectory, 'log'>): Promise<readonly PolicyPublished[]> {
  return (await log.policyView().read()).versions;
}

/** Throws where no policy has the region: an empty list would look like an answer. */
export async function checkRegion(system: Pick<System, 'policies'>, region: string): Promise<void> {
  refuseUnknown([...sitesByRegion(await system.policies()).keys()], region);
}

export function refuseUnknown(regions: readonly string[], region: string): void {
  if (!regions.includes(region))
    throw usage(`Expected --region to be one of ${regions.join(', ')}, found another.`);
}
