import type { PartitionFacts } from '@residency/observation';
import type { Instruments } from './instruments.ts';

/**
 * 0: all of a partition is settled. Absent: the age is not known, or the log lost its end.
 * `collect` is called before each rendering.
 */
export function unsettledAge(
  make: Instruments,
  now: () => number,
  collect?: () => Promise<void>,
): (partitions: readonly PartitionFacts[] | undefined) => void {
  const age = make.gauge('residency_oldest_unsettled_age_seconds', collect);
  return (partitions) => {
    age.reset();
    for (const { partition, end, settledUpTo, oldestAt } of partitions ?? [])
      if (oldestAt !== undefined || end === settledUpTo)
        age.set({ partition }, oldestAt === undefined ? 0 : Math.max(0, now() - oldestAt) / 1_000);
  };
}
