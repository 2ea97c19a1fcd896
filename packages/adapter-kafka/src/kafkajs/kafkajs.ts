import { loadKafkajs } from './mend-kafkajs.ts';

export const { ConfigResourceTypes, Kafka, PartitionAssigners, Partitioners, logLevel } =
  loadKafkajs();
