import { TOPICS, custodyTopic } from '@residency/contracts';
import { expect, it } from 'vitest';
import { topicPlan } from '../src/topics/topic-plan.ts';

const settingsOf = (plan: ReturnType<typeof topicPlan>, topic: string): Record<string, string> =>
  Object.fromEntries(
    (plan.find((planned) => planned.topic === topic)?.settings ?? []).map(({ name, value }) => [
      name,
      value,
    ]),
  );

it('states every topic there is', () => {
  expect(
    topicPlan({ partitions: 1, replicationFactor: 1 })
      .map(({ topic }) => topic)
      .toSorted(),
  ).toEqual(Object.values(TOPICS).toSorted());
});

it('gives audit events as many partitions as samples, and the logs of one order one', () => {
  const plan = topicPlan({ partitions: 12, replicationFactor: 3 });
  expect(Object.fromEntries(plan.map(({ topic, partitions }) => [topic, partitions]))).toEqual({
    'threat.samples': 12,
    'residency.audit': 12,
    'threat.samples.quarantine': 12,
    'threat.consents': 1,
    'threat.subjects': 1,
    'residency.policy': 1,
    'residency.control': 1,
  });
  expect(plan.every(({ replicationFactor }) => replicationFactor === 3)).toBe(true);
});

it('keeps audit events for ever and samples as long as asked', () => {
  const plan = topicPlan({ partitions: 1, replicationFactor: 1, retentionMs: 1_000 });
  expect(settingsOf(plan, TOPICS.audit)).toMatchObject({
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'max.message.bytes': '4194304',
  });
  expect(settingsOf(plan, TOPICS.samples)).toMatchObject({
    'cleanup.policy': 'delete',
    'retention.ms': '1000',
    'max.message.bytes': '26214400',
  });
  expect(settingsOf(plan, TOPICS.consents)).toMatchObject({ 'cleanup.policy': 'compact' });
});

it("keeps each region's custody log for ever, in one partition", () => {
  const regions = ['zurich', 'moscow'];
  const plan = topicPlan({ partitions: 12, replicationFactor: 3, retentionMs: 1_000, regions });
  for (const region of regions) {
    const topic = custodyTopic(region);
    expect(plan.find((planned) => planned.topic === topic)?.partitions).toBe(1);
    expect(settingsOf(plan, topic)).toEqual(settingsOf(plan, TOPICS.audit));
  }
});

it("gives every topic append times, no codec of a publisher's choice, and two copies of each record where there are three", () => {
  for (const [replicationFactor, copies] of [
    [1, '1'],
    [2, '1'],
    [3, '2'],
    [5, '2'],
  ] as const) {
    const plan = topicPlan({ partitions: 1, replicationFactor, regions: ['zurich'] });
    for (const { topic } of plan)
      expect(settingsOf(plan, topic)).toMatchObject({
        'message.timestamp.type': 'LogAppendTime',
        'compression.type': 'uncompressed',
        'unclean.leader.election.enable': 'false',
        'min.insync.replicas': copies,
      });
  }
});
