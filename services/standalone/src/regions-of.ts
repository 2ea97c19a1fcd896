import type { DataDirectory } from './data-directory.ts';

/** The sites of each region that any policy version names. */
export async function regionsOf({
  log,
}: Pick<DataDirectory, 'log'>): Promise<ReadonlyMap<string, readonly string[]>> {
  const { versions } = await log.policyView().read();
  const regions = new Map<string, readonly string[]>();
  for (const { id, sites } of versions.flatMap(({ document }) => document.regions))
    regions.set(id, [...new Set([...(regions.get(id) ?? []), ...sites])]);
  return regions;
}
