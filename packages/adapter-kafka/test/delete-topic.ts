import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '../src/kafka-client.ts';
import type { KafkaSettings } from '../src/kafka-settings.ts';
import { SILENT, asAdmin } from './some-kafka.ts';

// `node delete-topic.ts SETTINGS TOPIC`: deletes a topic, by its full name, and waits until it is
// gone. A process of its own, for tests of what may not load kafkajs.
const [settings, topic] = process.argv.slice(2) as [string, string];
const parsed: KafkaSettings = JSON.parse(settings);
await asAdmin(createKafka(parsed, SILENT), async (admin) => {
  await admin.deleteTopics({ topics: [topic] });
  while ((await admin.listTopics()).includes(topic)) await sleep(100);
});
