import type { Admin } from 'kafkajs';
import { KafkaLogError } from '../kafka-log-error.ts';
import { ConfigResourceTypes } from '../kafkajs/kafkajs.ts';

const SETTING = 'retention.ms';

/** The retention of a topic, milliseconds; `Infinity`: for ever. `topic` is the cluster's name. */
export async function describeRetention(admin: Admin, topic: string): Promise<number> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [SETTING] }],
  });
  const value = resources
    .flatMap(({ configEntries }) => configEntries)
    .find(({ configName }) => configName === SETTING)?.configValue;
  const retention = Number(value ?? Number.NaN);
  if (Number.isNaN(retention))
    throw new KafkaLogError({
      code: 'TOPIC_SETTINGS',
      remedy: 'stop',
      message: `Expected ${SETTING} among the settings of ${topic}, found none. Compare them: residency topics check.`,
    });
  return retention < 0 ? Infinity : retention;
}
