import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import type { PartitionProgress } from './judge-progress.ts';

/** One partition after the other: a look ahead may bring a batch of samples. */
export async function partitionProgress(log: Pick<KafkaLog, 'progress' | 'ahead'>): Promise<readonly PartitionProgress[]> {
  const partitions: PartitionProgress[] = [];
  for (const progress of await log.progress()) {
    const { partition, start, end, next } = progress;
    const { first } = next >= end ? {} : await log.ahead(TOPICS.samples, partition, next < start ? start : next);
    partitions.push({ ...progress, ...(first === undefined ? {} : { oldestAt: first.at }) });
  }
  return partitions;
}
