import { TOPICS, custodyTopic } from '@residency/contracts';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { ConfigResourceTypes } from '../kafkajs/kafkajs.ts';
import { topicName } from '../topic-name.ts';
import type { SerialAdmin } from './serial-admin.ts';
import { topicPlan } from './topic-plan.ts';
import type { PlannedTopic, StatedSetting } from './topic-plan.ts';
import { withAdmin } from './with-admin.ts';

export interface TopicDifference {
  /** The cluster's name. */
  readonly topic: string;
  /** `topic`, `partitions` or a setting's name. */
  readonly setting: string;
  readonly found: string;
  readonly expected: string;
}

/** A topic as the cluster describes it. */
interface FoundTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly settings: ReadonlyMap<string, string>;
}

/**
 * The differences between topics and `topicPlan`. The intake topic defines the number of partitions
 * and replicas; how long other topics keep records is not checked. `regions`: their custody logs are
 * compared too.
 */
export async function checkTopics(
  settings: KafkaSettings,
  diagnostics: KafkaDiagnostics,
  regions: readonly string[] = [],
): Promise<readonly TopicDifference[]> {
  const names = [...Object.values(TOPICS), ...regions.map(custodyTopic)].map((topic) =>
    topicName(settings.topicPrefix, topic),
  );
  const found = await withAdmin(settings, diagnostics, (admin) => describeTopics(admin, names));
  const intake = found.get(topicName(settings.topicPrefix, TOPICS.samples));
  const retention = Number(intake?.settings.get('retention.ms') ?? 0);
  const plan = topicPlan({
    partitions: intake?.partitions ?? 1,
    replicationFactor: intake?.replicationFactor ?? 1,
    retentionMs: retention,
    regions,
  });
  return plan.flatMap((planned) =>
    differences(planned, topicName(settings.topicPrefix, planned.topic), found),
  );
}

/**
 * For a service's start: throws `TOPIC_MISSING` or `TOPIC_SETTINGS` (stop), which name every
 * difference. `regions`: the service uses their custody logs.
 */
export async function requireTopics(
  settings: KafkaSettings,
  diagnostics: KafkaDiagnostics,
  regions: readonly string[] = [],
): Promise<void> {
  const all = await checkTopics(settings, diagnostics, regions);
  if (all.length === 0) return;
  const missing = all.some(({ setting }) => setting === 'topic');
  const list = all
    .map(
      ({ topic, setting, found, expected }) =>
        `${topic}: ${setting} ${found}, expected ${expected}`,
    )
    .join('; ');
  throw new KafkaLogError({
    code: missing ? 'TOPIC_MISSING' : 'TOPIC_SETTINGS',
    remedy: 'stop',
    message: `Expected the topics as docs/formats state them, found ${list}. ${missing ? 'Make them: residency topics create.' : 'Change them, or say why not and keep this release away from them.'}`,
  });
}

function differences(
  { partitions, settings }: PlannedTopic,
  topic: string,
  all: ReadonlyMap<string, FoundTopic>,
): TopicDifference[] {
  const found = all.get(topic);
  if (found === undefined)
    return [{ topic, setting: 'topic', found: 'missing', expected: 'present' }];
  return [
    ...(found.partitions === partitions
      ? []
      : [
          {
            topic,
            setting: 'partitions',
            found: String(found.partitions),
            expected: String(partitions),
          },
        ]),
    ...settings
      .filter((stated) => !holds(stated, found.settings.get(stated.name)))
      .map(({ name, rule, value }) => ({
        topic,
        setting: name,
        found: found.settings.get(name) ?? 'none',
        expected: rule === 'is' ? value : `${rule} ${value}`,
      })),
  ];
}

function holds({ name, value, rule }: StatedSetting, found: string | undefined): boolean {
  if (found === undefined) return false;
  switch (rule) {
    case 'is':
      return found === value;
    case 'at least':
      return amount(name, found) >= amount(name, value);
    case 'at most':
      return amount(name, found) <= amount(name, value);
    default: {
      const never: never = rule;
      return never;
    }
  }
}

function amount(name: string, value: string): number {
  return name.startsWith('retention.') && Number(value) < 0 ? Infinity : Number(value);
}

async function describeTopics(
  admin: SerialAdmin,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, FoundTopic>> {
  const present = new Set(await admin.ask((client) => client.listTopics()));
  const names = wanted.filter((name) => present.has(name));
  if (names.length === 0) return new Map();
  const { topics } = await admin.ask((client) => client.fetchTopicMetadata({ topics: names }));
  const { resources } = await admin.ask((client) =>
    client.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
    }),
  );
  return new Map(
    topics.map(({ name, partitions }) => {
      const entries =
        resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
      return [
        name,
        {
          partitions: partitions.length,
          replicationFactor: partitions[0]?.replicas.length ?? 0,
          settings: new Map(
            entries.map(({ configName, configValue }) => [configName, configValue]),
          ),
        },
      ];
    }),
  );
}
