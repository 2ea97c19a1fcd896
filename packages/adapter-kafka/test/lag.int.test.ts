import { TOPICS } from '@residency/contracts';
import { OldestUnsettled } from '@residency/observation';
import type { RouteBatch } from '@residency/routing';
import { settlementsOf } from '@residency/testkit';
import type { Producer } from 'kafkajs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { routerGroup, topicName } from '../src/topic-name.ts';
import { asAdmin, text } from './some-kafka.ts';
import { SHORT, someIntake } from './submission-log/some-intake.ts';
import type { SomeIntake } from './submission-log/some-intake.ts';

let some: SomeIntake;
const producers: Producer[] = [];

beforeEach(async () => {
  some = await someIntake({ partitions: 2 });
});
afterEach(async () => {
  await Promise.all(producers.splice(0).map((producer) => producer.disconnect()));
  await some.close();
});

const samples = (): string => topicName(some.settings.topicPrefix, TOPICS.samples);
const group = (): string => routerGroup(some.settings.topicPrefix);
const settleAll: RouteBatch = (batch) => Promise.resolve({ settlements: settlementsOf(batch) });
const lags = async (): Promise<number[]> => [...(await some.log.lag()).values()].map(Number);

/** All of it, into partition 0; settled by a router. */
async function settle(count: number): Promise<void> {
  const producer = await publisher();
  await producer.send({
    topic: samples(),
    messages: Array.from({ length: count }, (_, index) => ({
      partition: 0,
      value: `sample ${index}`,
    })),
  });
  await consume();
}

async function consume(): Promise<void> {
  await (
    await some.openLog()
  )
    .submissionLog({ ...SHORT, maxBatchRecords: 10 })
    .consume(settleAll, { until: 'end', signal: new AbortController().signal });
}

async function publisher(transactionalId?: string): Promise<Producer> {
  const transactional =
    transactionalId === undefined
      ? {}
      : {
          transactionalId: `${some.settings.topicPrefix}${transactionalId}`,
          idempotent: true,
          maxInFlightRequests: 1,
        };
  const producer = some.kafka.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
    ...transactional,
  });
  await producer.connect();
  producers.push(producer);
  return producer;
}

it("is 0 if everything is settled, even without the group's offsets, and then counts from the last audit event", async () => {
  await settle(25);
  expect(await lags()).toEqual([0, 0]);
  await asAdmin(some.kafka, async (admin) => await admin.deleteGroups([group()]));
  expect([...(await some.log.committed())]).toEqual([]);
  expect(await lags()).toEqual([0, 0]);
  await (
    await publisher()
  ).send({
    topic: samples(),
    messages: [
      { partition: 0, value: 'a' },
      { partition: 0, value: 'b' },
      { partition: 1, value: 'c' },
    ],
  });
  expect(await lags()).toEqual([2, 1]);
  expect(await some.log.progress()).toEqual([
    { partition: 0, start: 0n, end: 27n, next: 25n },
    { partition: 1, start: 0n, end: 1n, next: 0n },
  ]);
});

it('is 0 if only the committed position is behind, which is still reported', async () => {
  await settle(25);
  await asAdmin(some.kafka, async (admin) => {
    await admin.setOffsets({
      groupId: group(),
      topic: samples(),
      partitions: [{ partition: 0, offset: '7' }],
    });
  });
  expect(await lags()).toEqual([0, 0]);
  expect(await some.log.progress()).toContainEqual({
    partition: 0,
    start: 0n,
    end: 25n,
    committed: 7n,
    next: 25n,
  });
});

it('reports the place of deleted records that were never settled', async () => {
  await settle(5);
  await (
    await publisher()
  ).send({
    topic: samples(),
    messages: Array.from({ length: 5 }, (_, index) => ({ partition: 0, value: `${index}` })),
  });
  await asAdmin(some.kafka, async (admin) => {
    await admin.fetchTopicOffsets(samples());
    await admin.deleteTopicRecords({
      topic: samples(),
      partitions: [{ partition: 0, offset: '8' }],
    });
  });
  expect(await some.log.progress()).toContainEqual({
    partition: 0,
    start: 8n,
    end: 10n,
    committed: 5n,
    next: 5n,
  });
  expect(await lags()).toEqual([5, 0]);
});

it('does not count markers and aborted records at the end, but what is not decided yet, without waiting for it', async () => {
  const producer = await publisher('publisher');
  for (const end of ['commit', 'abort', 'abort'] as const) {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: samples(),
      messages: [
        { partition: 0, value: `${end} 1` },
        { partition: 0, value: `${end} 2` },
      ],
    });
    await transaction[end]();
  }
  expect(await lags()).toEqual([9, 0]);
  await consume();
  expect(await some.log.progress()).toContainEqual(
    expect.objectContaining({ partition: 0, end: 9n, next: 2n }),
  );
  expect(await lags()).toEqual([0, 0]);
  const open = await producer.transaction();
  await open.send({ topic: samples(), messages: [{ partition: 0, value: 'undecided' }] });
  expect(await lags()).toEqual([8, 0]);
  expect(await some.log.ahead(TOPICS.samples, 0, 2n)).toEqual({ upTo: 9n });
  await open.abort();
});

it('records behind an open transaction have its age, and its place is reported', async () => {
  await settle(5);
  const oldest = new OldestUnsettled((partition, offset) =>
    some.log.ahead(TOPICS.samples, partition, offset),
  );
  const look = async () => {
    const [progress] = await some.log.progress();
    const open = await some.log.undecided(TOPICS.samples);
    if (progress === undefined) throw new Error('Expected a partition.');
    return { open, oldest: await oldest.of(progress, open[0]) };
  };
  expect(await look()).toEqual({ open: [], oldest: { settledUpTo: 5n } });
  const open = await (await publisher('stays')).transaction();
  await open.send({ topic: samples(), messages: [{ partition: 0, value: 'undecided' }] });
  await (
    await publisher()
  ).send({ topic: samples(), messages: [{ partition: 0, value: 'committed' }] });
  const {
    open: [found],
    oldest: hidden,
  } = await look();
  expect(found).toEqual({ partition: 0, offset: 5n, since: expect.any(Number) });
  expect(Math.abs(Date.now() - (found?.since ?? 0))).toBeLessThan(60_000);
  expect(hidden).toEqual({ settledUpTo: 5n, at: found?.since, undecided: found });
  await open.abort();
  await expect
    .poll(look)
    .toEqual({ open: [], oldest: { settledUpTo: 5n, at: expect.any(Number) } });
  expect((await look()).oldest.at).toBeGreaterThanOrEqual(found?.since ?? Infinity);
});

it('does not wait for open transactions in the audit log either', async () => {
  await settle(5);
  await asAdmin(some.kafka, async (admin) => await admin.deleteGroups([group()]));
  const open = await (await publisher('a router')).transaction();
  await open.send({
    topic: topicName(some.settings.topicPrefix, TOPICS.audit),
    messages: [{ partition: 0, value: '{}' }],
  });
  expect(await lags()).toEqual([0, 0]);
  await open.abort();
});

it('a look ahead gives the first record readers may see, where it stands and when it was appended, and brings one batch', async () => {
  const large = Buffer.alloc(600_000, 'x');
  const positions = await some.log.append(
    Array.from({ length: 4 }, () => ({
      topic: TOPICS.samples,
      record: { ...text('', 'one key'), value: large },
    })),
  );
  const { partition = -1 } = positions[0] ?? {};
  for (const offset of [0n, 3n]) {
    const found = await some.log.readAt({ log: 'log-1', topic: TOPICS.samples, partition, offset });
    expect(await some.log.ahead(TOPICS.samples, partition, offset)).toMatchObject({
      first: { offset, at: found?.at },
    });
  }
  expect(await some.log.ahead(TOPICS.samples, partition, 4n)).toEqual({ upTo: 4n });
  await expect(some.log.ahead(TOPICS.samples, partition, 5n)).rejects.toMatchObject({
    code: 'OFFSET_OUT_OF_RANGE',
  });
});

const WEEK_MS = 7 * 24 * 3_600_000;

it('offsets since a time, and how long a topic keeps its records', async () => {
  const [position] = await some.publish([text('old')]);
  const at = (position && (await some.log.readAt(position)))?.at ?? 0;
  const partition = position?.partition ?? -1;
  expect((await some.log.since(TOPICS.samples, at)).get(partition)).toBe(0n);
  expect(await some.log.since(TOPICS.samples, at + 1)).toEqual(await some.log.ends(TOPICS.samples));
  expect([
    await some.log.retention(TOPICS.samples),
    await some.log.retention(TOPICS.audit),
    await some.log.longestKept(TOPICS.samples),
    await some.log.longestKept(TOPICS.audit),
  ]).toEqual([WEEK_MS, Infinity, 2 * WEEK_MS, Infinity]);
});
