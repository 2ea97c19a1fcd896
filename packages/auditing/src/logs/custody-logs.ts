import { custodyTopic } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';

/** The custody logs of all regions that a valid policy version names, by region. */
export function custodyLogsOf(published: readonly PolicyPublished[]): readonly TopicPartition[] {
  const regions = validPolicies(published).flatMap(({ document }) =>
    document.regions.map(({ id }) => id),
  );
  return [...new Set(regions)].sort().map((region) => ({
    topic: custodyTopic(region),
    partition: 0,
  }));
}
