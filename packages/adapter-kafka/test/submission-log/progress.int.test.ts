import { TOPICS } from '@residency/contracts';
import { settlementsOf } from '@residency/testkit';
import type { RouteBatch } from '@residency/routing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { routerGroup, topicName } from '../../src/topic-name.ts';
import { asAdmin, text } from '../some-kafka.ts';
import { NO_FAULTS, faultsOf } from './one-outcome-each.ts';
import { SHORT, someIntake } from './some-intake.ts';
import type { SomeIntake } from './some-intake.ts';

let some: SomeIntake;
beforeEach(async () => {
  some = await someIntake({ partitions: 2 });
});
afterEach(async () => {
  await some.close();
});

const settleAll: RouteBatch = (batch) => Promise.resolve({ settlements: settlementsOf(batch) });

async function consume(
  until: 'end' | 'aborted' = 'end',
  route = settleAll,
  signal = new AbortController().signal,
): Promise<unknown> {
  return await (
    await some.openLog()
  )
    .submissionLog({ ...SHORT, maxBatchRecords: 10 })
    .consume(route, { until, signal });
}

async function publish(count: number): Promise<void> {
  await some.publish(
    Array.from({ length: count }, (_, index) => text(`sample ${index}`, `${index}`)),
  );
}

/** As retention does: all of it, or up to an offset. */
async function trim(partition: number, before = -1n): Promise<void> {
  await asAdmin(some.kafka, async (admin) => {
    // kafkajs deletes nothing of topics it was not asked about before.
    await admin.fetchTopicOffsets(samples());
    await admin.deleteTopicRecords({
      topic: samples(),
      partitions: [{ partition, offset: String(before) }],
    });
  });
}

const samples = (): string => topicName(some.settings.topicPrefix, TOPICS.samples);
const group = (): string => routerGroup(some.settings.topicPrefix);

it("continues from the audit log if the group's offsets were deleted", async () => {
  await publish(40);
  await consume();
  await asAdmin(some.kafka, async (admin) => await admin.deleteGroups([group()]));
  expect([...(await some.settled())]).toEqual([]);
  await publish(25);
  await consume();
  expect(await faultsOf(some.log)).toEqual({ outcomes: 65, faults: NO_FAULTS });
});

it('stops with PROGRESS_LOST where the intake log begins behind the committed position', async () => {
  await publish(40);
  await consume();
  await publish(40);
  await trim(0);
  await expect(consume()).rejects.toMatchObject({ code: 'PROGRESS_LOST', remedy: 'stop' });
});

it('stops with PROGRESS_LOST where the intake log begins behind the last audit event and no position is committed', async () => {
  await publish(40);
  await consume();
  await publish(40);
  await asAdmin(some.kafka, async (admin) => await admin.deleteGroups([group()]));
  await trim(1);
  await expect(consume()).rejects.toMatchObject({ code: 'PROGRESS_LOST', remedy: 'stop' });
});

it('stops with PROGRESS_LOST if records are deleted that it was about to fetch', async () => {
  // Large ones, so that one fetch does not bring all of them.
  const positions = await some.publish(
    Array.from({ length: 12 }, (_, index) => ({
      key: Buffer.from('same'),
      headers: [],
      value: Buffer.alloc(400_000, index),
    })),
  );
  const end = BigInt(positions.length);
  const route: RouteBatch = async (batch) => {
    if (batch.previous === null) await trim(positions[0]?.partition ?? 0, end - 1n);
    return await settleAll(batch);
  };
  await expect(
    (await some.openLog())
      .submissionLog({ ...SHORT, maxBatchRecords: 1 })
      .consume(route, { until: 'end', signal: AbortSignal.timeout(300_000) }),
  ).rejects.toMatchObject({ code: 'PROGRESS_LOST', remedy: 'stop' });
  const { faults, outcomes } = await faultsOf(some.log);
  expect(outcomes).toBeLessThan(12);
  expect({ ...faults, invented: [], missing: [], disagreeing: [] }).toEqual(NO_FAULTS);
});

async function setByHand(offset: bigint): Promise<void> {
  await some.log.append(
    Array.from({ length: 30 }, () => ({
      topic: TOPICS.samples,
      record: text('sample', 'same key'),
    })),
  );
  await consume('end', (batch) =>
    Promise.resolve(
      batch.previous === null
        ? { settlements: settlementsOf(batch) }
        : Promise.reject(new Error('far enough')),
    ),
  ).catch(() => undefined);
  const partition = [...(await some.settled()).keys()][0] ?? -1;
  await asAdmin(some.kafka, async (admin) => {
    await admin.setOffsets({
      groupId: group(),
      topic: samples(),
      partitions: [{ partition, offset: String(offset) }],
    });
  });
}

it('repeats nothing if the committed position was set back by hand', async () => {
  await setByHand(5n);
  await consume();
  expect(await faultsOf(some.log)).toEqual({ outcomes: 30, faults: NO_FAULTS });
});

it('stops with PROGRESS_DIFFERS if the committed position was set forward by hand', async () => {
  await setByHand(15n);
  await expect(consume()).rejects.toMatchObject({ code: 'PROGRESS_DIFFERS', remedy: 'stop' });
});

it('stops if the audit log has too few partitions', async () => {
  await asAdmin(some.kafka, async (admin) => {
    await admin.createPartitions({ topicPartitions: [{ topic: samples(), count: 4 }] });
  });
  await expect(consume()).rejects.toMatchObject({ code: 'TOPIC_SETTINGS', remedy: 'stop' });
});

it('reaches the end of a log that ends with markers and aborted records', async () => {
  const producer = some.kafka.producer({
    transactionalId: `${some.settings.topicPrefix}publisher`,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: () => () => 0,
  });
  await producer.connect();
  for (const end of ['commit', 'abort', 'commit', 'abort'] as const) {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: samples(),
      messages: [
        { value: `${end} 1`, partition: 0 },
        { value: `${end} 2`, partition: 0 },
      ],
    });
    await transaction[end]();
  }
  await producer.disconnect();
  await consume();
  await consume();
  expect(await faultsOf(some.log)).toEqual({ outcomes: 4, faults: NO_FAULTS });
});
