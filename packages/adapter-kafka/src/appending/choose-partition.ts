import { Partitioners } from '../kafkajs/kafkajs.ts';

// kafkajs's default since 2.0 is Java's: murmur2 of the key, made positive, modulo the number of
// partitions.
const byKey = Partitioners.DefaultPartitioner();

/**
 * The partition that every Kafka client chooses by default for a key, so that submissions of one
 * consent meet in one partition whichever client publishes them.
 */
export function partitionOf(key: Buffer, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    leader: 0,
    isr: [],
    replicas: [],
    partitionErrorCode: 0,
  }));
  return byKey({ topic: '', partitionMetadata, message: { key, value: null } });
}
