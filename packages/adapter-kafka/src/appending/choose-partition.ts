import { Partitioners } from '../kafkajs/kafkajs.ts';

// kafkajs's default since 2.0 is Java's: murmur2 of the key, made positive, modulo the number of partitions.
const byKey = Partitioners.DefaultPartitioner();

/** The partition every Kafka client's default gives a key, so that one consent's submissions meet in one however they are published. */
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
