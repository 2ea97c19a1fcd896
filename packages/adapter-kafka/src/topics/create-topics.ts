import type { Topic } from '@residency/contracts';
import { pause } from '@residency/waiting';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { topicName } from '../topic-name.ts';
import type { PlannedTopic } from './topic-plan.ts';
import type { SerialAdmin } from './serial-admin.ts';
import { withAdmin } from './with-admin.ts';

/**
 * Creates the planned topics that are missing and returns their logical names, in the plan's order. Existing topics are
 * not changed; `checkTopics` compares them with the plan.
 */
export async function createTopics(
  settings: KafkaSettings,
  diagnostics: KafkaDiagnostics,
  plan: readonly PlannedTopic[],
): Promise<readonly Topic[]> {
  return await withAdmin(settings, diagnostics, async (admin) => {
    const present = new Set(await admin.ask((client) => client.listTopics()));
    const created: Topic[] = [];
    for (const { topic, partitions, replicationFactor, settings: stated } of plan) {
      const name = topicName(settings.topicPrefix, topic);
      if (present.has(name)) continue;
      const configEntries = stated.map(({ name: setting, value }) => ({ name: setting, value }));
      const made = await admin.ask(
        (client) =>
          client.createTopics({
            topics: [{ topic: name, numPartitions: partitions, replicationFactor, configEntries }],
            timeout: 30_000,
            waitForLeaders: false,
          }),
        name,
      );
      if (made) created.push(topic);
    }
    await known(
      admin,
      plan.map(({ topic }) => topicName(settings.topicPrefix, topic)),
    );
    return created;
  });
}

/** Waits until the brokers know a new topic. */
async function known(admin: SerialAdmin, names: readonly string[]): Promise<void> {
  for (let left = 100; left > 0; left -= 1) {
    const present = new Set(await admin.ask((client) => client.listTopics()));
    if (names.every((name) => present.has(name))) return;
    await pause(100);
  }
}
