import type { Admin } from 'kafkajs';
import { KafkaLogError } from '../kafka-log-error.ts';
import { ConfigResourceTypes } from '../kafkajs/kafkajs.ts';

/** The retention of a topic, milliseconds; `Infinity`: for ever. `topic` is the cluster's name. */
export async function describeRetention(admin: Admin, topic: string): Promise<number> {
  const retention = await describeNumber(admin, topic, 'retention.ms');
  return retention < 0 ? Infinity : retention;
}

/**
 * As `describeRetention`, with the time until the segment of a record is closed: Kafka deletes whole
 * segments.
 */
export async function describeLongestKept(admin: Admin, topic: string): Promise<number> {
  const retention = await describeRetention(admin, topic);
  return retention + (await describeNumber(admin, topic, 'segment.ms'));
}

async function describeNumber(admin: Admin, topic: string, name: string): Promise<number> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }],
  });
  const value = resources
    .flatMap(({ configEntries }) => configEntries)
    .find(({ configName }) => configName === name)?.configValue;
  const number = Number(value ?? Number.NaN);
  if (Number.isNaN(number))
    throw new KafkaLogError({
      code: 'TOPIC_SETTINGS',
      remedy: 'stop',
      message: `Expected ${name} among the settings of ${topic}, found none. Compare them: residency topics check.`,
    });
  return number;
}
