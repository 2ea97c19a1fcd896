import { TOPICS } from '@residency/contracts';
import { eventually } from '@residency/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStack } from '../../../test/stack/index.ts';
import type { OwnStack } from '../../../test/stack/index.ts';
import { createKafka } from '../src/kafka-client.ts';
import { openKafkaLog } from '../src/kafka-log.ts';
import type { KafkaLog } from '../src/kafka-log.ts';
import { SILENT, asAdmin, text } from './some-kafka.ts';

const EAGER = [
  'cleanup.policy=compact',
  'segment.ms=200',
  'min.cleanable.dirty.ratio=0.001',
  'delete.retention.ms=0',
  'max.compaction.lag.ms=200',
  'min.compaction.lag.ms=0',
].map((setting) => ({ name: setting.split('=')[0] ?? '', value: setting.split('=')[1] ?? '' }));

let stack: OwnStack;
let log: KafkaLog;

beforeAll(async () => {
  stack = await openStack({
    brokers: 1,
    kafkaSettings: { 'log.cleaner.backoff.ms': '100', 'log.initial.task.delay.ms': '100' },
  });
  const settings = {
    brokers: stack.kafka.brokers,
    clientId: 'test',
    log: 'log-1',
    topicPrefix: '',
  };
  await asAdmin(createKafka(settings, SILENT), async (admin) => {
    await admin.createTopics({
      topics: [
        { topic: TOPICS.audit, numPartitions: 1, replicationFactor: 1 },
        { topic: TOPICS.subjects, numPartitions: 1, replicationFactor: 1, configEntries: EAGER },
      ],
      waitForLeaders: false,
    });
  });
  log = await openKafkaLog(settings, SILENT);
});

afterAll(async () => {
  await log.close();
  await stack.close();
});

async function append(key: string, value: string | null): Promise<void> {
  await log.append([
    {
      topic: TOPICS.subjects,
      record: { ...text('', key), value: value === null ? null : Buffer.from(value) },
    },
  ]);
}

async function read(from: bigint): Promise<string[]> {
  return (
    await Array.fromAsync(log.read(TOPICS.subjects, { from: new Map([[0, from]]), until: 'end' }))
  ).map(({ key, value }) => `${String(key)}=${String(value)}`);
}

/**
 * Only a segment that a later record closed is compacted: waits a segment's time, appends one more
 * and looks.
 */
async function compacted(
  key: string,
  value: string | null,
  done: (left: readonly string[]) => boolean,
): Promise<void> {
  await eventually(async () => {
    await sleep(300);
    await append(key, value);
    return done(await read(0n)) ? true : undefined;
  });
}

it('reads a compacted topic to its end, whichever records remain and wherever the read begins', async () => {
  await append('kept', '1');
  for (let index = 0; index < 20; index += 1) await append('erased', `${index}`);
  await append('erased', null);
  await compacted('later', 'x', (left) => !left.some((each) => each.startsWith('erased')));
  expect(new Set(await read(0n))).toEqual(new Set(['kept=1', 'later=x']));
  // From offsets that hold nothing any more.
  for (const from of [1n, 7n, 21n]) expect(new Set(await read(from))).toEqual(new Set(['later=x']));
  expect(
    await log.readAt({ log: 'log-1', topic: TOPICS.subjects, partition: 0, offset: 5n }),
  ).toBeUndefined();
  expect(
    (
      await log.readAt({ log: 'log-1', topic: TOPICS.subjects, partition: 0, offset: 0n })
    )?.value?.toString(),
  ).toBe('1');
  // Its tail erased: the end lies behind everything that is left.
  await append('later', null);
  await compacted('last', null, (left) => left.every((each) => !each.startsWith('later=')));
  expect((await read(0n))[0]).toBe('kept=1');
});
