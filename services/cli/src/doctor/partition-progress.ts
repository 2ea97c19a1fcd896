import { OldestUnsettled } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import type { PartitionProgress } from './judge-progress.ts';

/** One partition after the other: a look ahead may bring a batch of samples. */
export async function partitionProgress(
  log: Pick<KafkaLog, 'progress' | 'ahead'>,
): Promise<readonly PartitionProgress[]> {
  const oldest = new OldestUnsettled((partition, offset) =>
    log.ahead(TOPICS.samples, partition, offset),
  );
  const partitions: PartitionProgress[] = [];
  for (const progress of await log.progress()) {
    const { at } = await oldest.of(progress);
    partitions.push({ ...progress, ...(at === undefined ? {} : { oldestAt: at }) });
  }
  return partitions;
}
