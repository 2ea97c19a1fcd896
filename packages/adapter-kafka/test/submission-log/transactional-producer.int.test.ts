import { TOPICS } from '@residency/contracts';
import { settlementsOf } from '@residency/testkit';
import type { Batch } from '@residency/routing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { packSettlement } from '../../src/submission-log/pack-settlement.ts';
import {
  TransactionalProducer,
  Withheld,
} from '../../src/submission-log/transactional-producer.ts';
import type { ProducerPlan, Settling } from '../../src/submission-log/transactional-producer.ts';
import { routerGroup, topicName } from '../../src/topic-name.ts';
import { text } from '../some-kafka.ts';
import { someIntake } from './some-intake.ts';
import type { SomeIntake } from './some-intake.ts';

let some: SomeIntake;
const opened: TransactionalProducer[] = [];
beforeEach(async () => {
  some = await someIntake({ partitions: 1 });
  await some.publish([text('a'), text('b')]);
  // Waits for the group's coordinator: on a new cluster its topic is only just created.
  await some.settled();
});
afterEach(async () => {
  await Promise.all(
    opened.splice(0).map(async (producer) => {
      await producer.close();
    }),
  );
  await some.close();
});

async function open(plan: Partial<ProducerPlan> = {}): Promise<TransactionalProducer> {
  const { topicPrefix } = some.settings;
  const producer = await TransactionalProducer.open(some.kafka, {
    transactionalId: `${topicPrefix}id`,
    transactionTimeoutMs: 10_000,
    progress: {
      group: routerGroup(topicPrefix),
      topic: topicName(topicPrefix, TOPICS.samples),
      partition: 0,
    },
    target: (topic) => ({ topic: topicName(topicPrefix, topic), partition: 0 }),
    ...plan,
  });
  opened.push(producer);
  return producer;
}

async function settling(
  beforeCommit: () => Promise<void> = () => Promise.resolve(),
): Promise<Settling> {
  const records = [];
  for await (const record of some.log.read(TOPICS.samples, { until: 'end' })) records.push(record);
  const batch: Batch = {
    log: 'log-1',
    topic: TOPICS.samples,
    partition: 0,
    previous: null,
    records,
    signal: new AbortController().signal,
  };
  return { sends: packSettlement(settlementsOf(batch)), next: 2n, beforeCommit };
}

it("of two owners only the one that opened last can commit, even in the middle of the other's transaction", async () => {
  const first = await open();
  await expect(
    first.commit(
      await settling(async () => {
        await open();
      }),
    ),
  ).rejects.toMatchObject({ code: 'FENCED', remedy: 'retry' });
  expect(await some.auditEvents()).toEqual([]);
  expect([...(await some.settled())]).toEqual([]);
  await opened.at(-1)?.commit(await settling());
  expect(await some.auditEvents()).toHaveLength(2);
  expect([...(await some.settled())]).toEqual([[0, 1n]]);
});

it('what an owner left open is aborted by the time the next one opened', async () => {
  const first = await open();
  const hanging = Promise.withResolvers<void>();
  const committing = first.commit(
    await settling(async () => {
      await open();
      // Nothing open is left: readers get to the end.
      expect(await some.auditEvents()).toEqual([]);
      hanging.resolve();
    }),
  );
  await hanging.promise;
  await expect(committing).rejects.toMatchObject({ code: 'FENCED' });
});

it('shows nothing where the commit is withheld', async () => {
  const reason = new Error('not ours any more');
  const producer = await open();
  await expect(producer.commit(await settling(() => Promise.reject(reason)))).rejects.toSatisfy(
    (error) => error instanceof Withheld && error.reason === reason,
  );
  expect(await some.auditEvents()).toEqual([]);
  expect([...(await some.settled())]).toEqual([]);
});

const alone = (next: bigint | null): Settling => ({
  sends: [],
  next,
  beforeCommit: () => Promise.resolve(),
});

it('sets a committed position back, and to none, without touching the audit log', async () => {
  await (await open()).commit(await settling());
  const eventually = async (expected: readonly [number, bigint][]): Promise<void> => {
    await vi.waitFor(async () => {
      expect([...(await some.settled())]).toEqual(expected);
    }, 10_000);
  };
  await eventually([[0, 1n]]);
  await (await open()).commit(alone(1n));
  await eventually([[0, 0n]]);
  await (await open()).commit(alone(null));
  await eventually([]);
  expect(await some.auditEvents()).toHaveLength(2);
});

it('without a position appends, and moves none', async () => {
  const settled = await settling();
  await (await open()).commit(settled);
  const { sends, beforeCommit } = settled;
  await (await open()).commit({ sends, beforeCommit });
  expect(await some.auditEvents()).toHaveLength(4);
  expect([...(await some.settled())]).toEqual([[0, 1n]]);
});

it('settles nothing where a topic has no such partition, though kafkajs would send nothing and say nothing', async () => {
  const { topicPrefix } = some.settings;
  const producer = await open({
    target: (topic) => ({ topic: topicName(topicPrefix, topic), partition: 7 }),
  });
  await expect(producer.commit(await settling())).rejects.toMatchObject({
    code: 'TOPIC_MISSING',
    remedy: 'stop',
  });
  await open();
  expect([...(await some.settled())]).toEqual([]);
});
