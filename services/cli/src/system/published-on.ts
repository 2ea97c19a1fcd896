import type { PolicyPublished } from '@residency/residency';
import type { DataDirectory } from '@residency/standalone';

export async function publishedOn({
  log,
}: Pick<DataDirectory, 'log'>): Promise<readonly PolicyPublished[]> {
  return (await log.policyView().read()).versions;
}
