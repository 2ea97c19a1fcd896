import { TOPICS, TOPIC_ACCEPTED, controlEntry } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { RouteBatch } from '@residency/routing';
import { SALT, settlementsOf } from '@residency/testkit';
import { pause } from '@residency/waiting';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ClusterConnection } from '../../src/reading/cluster-connection.ts';
import { topicName } from '../../src/topic-name.ts';
import { createTopics } from '../../src/topics/create-topics.ts';
import { topicPlan } from '../../src/topics/topic-plan.ts';
import { SILENT, asAdmin, text } from '../some-kafka.ts';
import { NO_FAULTS, faultsOf } from './one-outcome-each.ts';
import { SHORT, someIntake } from './some-intake.ts';
import type { SomeIntake } from './some-intake.ts';

let some: SomeIntake;
beforeEach(async () => {
  some = await someIntake({ partitions: 2 });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await some.close();
});

const settleAll: RouteBatch = (batch) => Promise.resolve({ settlements: settlementsOf(batch) });
const name = (topic: Topic): string => topicName(some.settings.topicPrefix, topic);

async function consume(route = settleAll, signal = AbortSignal.timeout(300_000)): Promise<unknown> {
  return await (
    await some.openLog()
  )
    .submissionLog({ ...SHORT, maxBatchRecords: 10 })
    .consume(route, { until: 'end', signal });
}

async function publish(count: number): Promise<void> {
  await some.publish(
    Array.from({ length: count }, (_, index) => text(`sample ${index}`, `${index}`)),
  );
}

/** Deleted, and made again with the same settings. */
async function replace(topic: Topic): Promise<void> {
  await asAdmin(some.kafka, async (admin) => {
    await admin.deleteTopics({ topics: [name(topic)] });
    while ((await admin.listTopics()).includes(name(topic))) await pause(100);
  });
  await createTopics(some.settings, SILENT, topicPlan({ partitions: 2, replicationFactor: 1 }));
}

const states = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await (await some.openLog()).identity()).map(({ topic, state }) => [topic, state]),
  );

it('a recreated intake topic stops a router permanently, however long it has grown', async () => {
  await publish(60);
  await consume();
  await replace(TOPICS.samples);
  await publish(10);
  await expect(consume()).rejects.toMatchObject({ code: 'PROGRESS_LOST', remedy: 'stop' });
  await publish(130);
  for (let start = 0; start < 2; start += 1)
    await expect(consume()).rejects.toMatchObject({ code: 'LOG_REPLACED', remedy: 'stop' });
  expect(await states()).toMatchObject({ [TOPICS.samples]: 'replaced', [TOPICS.audit]: 'same' });
  expect(await some.auditEvents()).toHaveLength(60);
});

it('an intake topic that is recreated under a running router is not settled', async () => {
  await publish(60);
  let replaced = false;
  const route: RouteBatch = async (batch) => {
    if (!replaced) {
      replaced = true;
      await replace(TOPICS.samples);
      await publish(200);
    }
    return await settleAll(batch);
  };
  await expect(consume(route)).rejects.toMatchObject({ remedy: 'stop', code: 'LOG_REPLACED' });
  // What was appended before may have been settled before.
  const began = await Promise.all(
    [0, 1].map(
      async (partition) =>
        (await some.log.ahead(TOPICS.samples, partition, 0n)).first?.at ?? Infinity,
    ),
  );
  expect((await some.auditEvents()).filter(({ at }) => at >= Math.min(...began))).toEqual([]);
});

it.each([TOPICS.consents, TOPICS.policy, TOPICS.control, TOPICS.quarantine])(
  'a router refuses to settle if %s was recreated, until a person accepts that',
  async (topic) => {
    await publish(20);
    await consume();
    const was = (await identified()).get(topic) ?? '';
    await replace(topic);
    await publish(5);
    await expect(consume()).rejects.toMatchObject({
      code: 'LOG_REPLACED',
      message: expect.stringContaining(topic),
    });
    const reader = await some.openLog();
    await expect(Array.fromAsync(reader.read(topic, { until: 'end' }))).rejects.toMatchObject({
      code: 'LOG_REPLACED',
    });
    const is = (await identified()).get(topic) ?? '';
    await some.log.append([
      controlEntry(
        { type: TOPIC_ACCEPTED, data: { topic, was, is, reason: 'the disk burnt' } },
        'accepted',
        SALT,
      ),
    ]);
    await consume();
    expect(await faultsOf(await some.openLog())).toEqual({ outcomes: 25, faults: NO_FAULTS });
    expect((await states())[topic]).toBe('same');
  },
);

it('a recreated audit topic stops a router', async () => {
  await publish(20);
  await consume();
  await replace(TOPICS.audit);
  await publish(5);
  await expect(consume()).rejects.toMatchObject({ code: 'PROGRESS_DIFFERS', remedy: 'stop' });
});

it('a following reader detects a topic that is recreated under it', async () => {
  await publish(5);
  const reader = await some.openLog();
  await reader.identity();
  await replace(TOPICS.samples);
  expect((await reader.identity()).find(({ topic }) => topic === TOPICS.samples)).toMatchObject({
    state: 'replaced',
  });
  await expect(
    Array.fromAsync(reader.read(TOPICS.samples, { until: 'end' })),
  ).rejects.toMatchObject({ code: 'LOG_REPLACED', remedy: 'stop' });
});

it('the record of the last audit event is compared if brokers have no ids', async () => {
  vi.spyOn(ClusterConnection.prototype, 'topicIds').mockResolvedValue(undefined);
  await publish(60);
  await consume();
  await publish(5);
  await consume();
  await replace(TOPICS.samples);
  await publish(200);
  await expect(consume()).rejects.toMatchObject({
    code: 'LOG_REPLACED',
    message: expect.stringMatching(/found one appended at .*, not at/),
  });
  expect(await states()).toMatchObject({ [TOPICS.samples]: 'replaced' });
});

it('a log whose settled records are deleted continues, because its id is the same', async () => {
  await publish(40);
  await consume();
  await asAdmin(some.kafka, async (admin) => {
    await admin.fetchTopicOffsets(name(TOPICS.samples));
    await admin.deleteTopicRecords({
      topic: name(TOPICS.samples),
      partitions: [0, 1].map((partition) => ({ partition, offset: '-1' })),
    });
  });
  expect(await states()).toMatchObject({ [TOPICS.samples]: 'same' });
  await publish(20);
  await consume();
  expect(await some.auditEvents()).toHaveLength(60);
});

async function identified(): Promise<ReadonlyMap<string, string>> {
  const connection = await ClusterConnection.open(some.kafka);
  try {
    const ids = await connection.topicIds(Object.values(TOPICS).map((topic) => name(topic)));
    return new Map(Object.values(TOPICS).map((topic) => [topic, ids?.get(name(topic)) ?? '']));
  } finally {
    await connection.close();
  }
}
