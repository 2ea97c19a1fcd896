import { loadKafkajs } from './mend-kafkajs.ts';

export const { ConfigResourceTypes, Kafka, Partitioners, logLevel } = loadKafkajs();
