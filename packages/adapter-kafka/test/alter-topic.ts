// A process of its own for tests of other packages, which may not load kafkajs:
// alter-topic.ts SETTINGS TOPIC NAME=VALUE...
import { createKafka } from '../src/kafka-client.ts';
import type { KafkaSettings } from '../src/kafka-settings.ts';
import { SILENT, asAdmin } from './some-kafka.ts';

const [settings = '', topic = '', ...entries] = process.argv.slice(2);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the test
const parsed = JSON.parse(settings) as KafkaSettings;
const TOPIC = 2;
await asAdmin(createKafka(parsed, SILENT), async (admin) => {
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: TOPIC,
        name: topic,
        configEntries: entries.map((entry) => {
          const [name = '', value = ''] = entry.split('=');
          return { name, value };
        }),
      },
    ],
  });
});
