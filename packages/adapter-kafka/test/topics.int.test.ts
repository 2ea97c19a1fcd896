import { TOPICS, custodyTopic } from '@residency/contracts';
import { expect, it } from 'vitest';
import { createKafka } from '../src/kafka-client.ts';
import type { KafkaSettings } from '../src/kafka-settings.ts';
import { checkTopics, requireTopics } from '../src/topics/check-topics.ts';
import { createTopics } from '../src/topics/create-topics.ts';
import { topicPlan } from '../src/topics/topic-plan.ts';
import { SILENT, asAdmin, someSettings } from './some-kafka.ts';

const plan = topicPlan({ partitions: 4, replicationFactor: 1 });

async function alter(
  settings: KafkaSettings,
  topic: string,
  changed: Readonly<Record<string, string>>,
): Promise<void> {
  await asAdmin(createKafka(settings, SILENT), async (admin) => {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: `${settings.topicPrefix}${topic}`,
          configEntries: Object.entries(changed).map(([name, value]) => ({ name, value })),
        },
      ],
    });
  });
}

it('makes all topics so that the check finds no difference, and a second time makes none', async () => {
  const settings = await someSettings();
  expect(
    (await checkTopics(settings, SILENT)).map(({ topic, setting, found }) => [
      topic,
      setting,
      found,
    ]),
  ).toEqual(plan.map(({ topic }) => [`${settings.topicPrefix}${topic}`, 'topic', 'missing']));
  await expect(requireTopics(settings, SILENT)).rejects.toMatchObject({
    code: 'TOPIC_MISSING',
    remedy: 'stop',
    message: expect.stringContaining(`${settings.topicPrefix}residency.audit`),
  });
  expect(await createTopics(settings, SILENT, plan)).toEqual(plan.map(({ topic }) => topic));
  expect(await checkTopics(settings, SILENT)).toEqual([]);
  await requireTopics(settings, SILENT);
  expect(await createTopics(settings, SILENT, plan)).toEqual([]);
});

it("makes, checks and requires regions' custody logs only where they are asked for", async () => {
  const settings = await someSettings();
  await createTopics(settings, SILENT, plan);
  await requireTopics(settings, SILENT);
  expect(await checkTopics(settings, SILENT, ['zurich'])).toEqual([
    {
      topic: `${settings.topicPrefix}residency.custody.zurich`,
      setting: 'topic',
      found: 'missing',
      expected: 'present',
    },
  ]);
  await expect(requireTopics(settings, SILENT, ['zurich'])).rejects.toMatchObject({
    code: 'TOPIC_MISSING',
  });
  const regional = topicPlan({ partitions: 4, replicationFactor: 1, regions: ['zurich'] });
  expect(await createTopics(settings, SILENT, regional)).toEqual([custodyTopic('zurich')]);
  await expect.poll(() => checkTopics(settings, SILENT, ['zurich'])).toEqual([]);
  await requireTopics(settings, SILENT, ['zurich']);
});

it('makes what is missing and leaves what exists as it is', async () => {
  const settings = await someSettings();
  await asAdmin(createKafka(settings, SILENT), async (admin) => {
    await admin.createTopics({
      waitForLeaders: false,
      topics: [
        { topic: `${settings.topicPrefix}${TOPICS.audit}`, numPartitions: 2, replicationFactor: 1 },
      ],
    });
  });
  expect(await createTopics(settings, SILENT, plan)).not.toContain(TOPICS.audit);
  const differences = (await checkTopics(settings, SILENT)).filter(
    ({ topic }) => topic === `${settings.topicPrefix}${TOPICS.audit}`,
  );
  expect(differences).toContainEqual({
    topic: `${settings.topicPrefix}${TOPICS.audit}`,
    setting: 'partitions',
    found: '2',
    expected: '4',
  });
  expect(differences.map(({ setting }) => setting).toSorted()).toEqual([
    'compression.type',
    'max.message.bytes',
    'partitions',
    'retention.ms',
  ]);
});

it('names every difference: topic, setting, what was found and what was expected', async () => {
  const settings = await someSettings();
  await createTopics(settings, SILENT, plan);
  await alter(settings, TOPICS.consents, {
    'cleanup.policy': 'delete',
    'compression.type': 'snappy',
    'segment.ms': '7200000',
    'message.timestamp.type': 'CreateTime',
  });
  await alter(settings, TOPICS.samples, {
    ...stated(TOPICS.samples),
    'max.message.bytes': '1000000',
    'retention.ms': '-1',
  });
  const expected = [
    'threat.consents: cleanup.policy delete, expected compact',
    'threat.consents: compression.type snappy, expected uncompressed',
    'threat.consents: segment.ms 7200000, expected at most 3600000',
    'threat.consents: message.timestamp.type CreateTime, expected LogAppendTime',
    'threat.samples: max.message.bytes 1000000, expected at least 26214400',
    // Samples kept for ever: what names them must not go before them.
    'threat.samples.quarantine: retention.ms 604800000, expected at least -1',
  ];
  // A broker answers a change before it applies it.
  await expect
    .poll(async () => {
      const error = await requireTopics(settings, SILENT).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'TOPIC_SETTINGS', remedy: 'stop' });
      const message = (error as Error).message.replaceAll(settings.topicPrefix, '');
      return expected.filter((each) => !message.includes(each));
    })
    .toEqual([]);
});

it('allows what is longer or larger than stated', async () => {
  const settings = await someSettings();
  await createTopics(settings, SILENT, plan);
  await alter(settings, TOPICS.samples, {
    ...stated(TOPICS.samples),
    'retention.ms': '86400000',
    'max.message.bytes': '40000000',
  });
  await alter(settings, TOPICS.quarantine, { ...stated(TOPICS.quarantine), 'retention.ms': '-1' });
  await expect.poll(() => checkTopics(settings, SILENT)).toEqual([]);
});

function stated(topic: string): Record<string, string> {
  return Object.fromEntries(
    (plan.find((planned) => planned.topic === topic)?.settings ?? []).map(({ name, value }) => [
      name,
      value,
    ]),
  );
}
