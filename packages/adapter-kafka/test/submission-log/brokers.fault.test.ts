import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@residency/contracts';
import { eventually, settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStack } from '../../../../test/stack/index.ts';
import type { OwnStack } from '../../../../test/stack/index.ts';
import { openKafkaLog } from '../../src/kafka-log.ts';
import type { KafkaSettings } from '../../src/kafka-settings.ts';
import { createTopics } from '../../src/topics/create-topics.ts';
import { topicPlan } from '../../src/topics/topic-plan.ts';
import { SILENT, text } from '../some-kafka.ts';
import { NO_FAULTS, faultsOf } from './one-outcome-each.ts';
import { SHORT } from './some-intake.ts';

let stack: OwnStack;
let settings: KafkaSettings;
beforeEach(async () => {
  stack = await openStack({ brokers: 1 });
  settings = {
    brokers: stack.kafka.brokers,
    clientId: 'test',
    log: 'log-1',
    topicPrefix: `t${randomUUID().slice(0, 8)}.`,
  };
  await createTopics(settings, SILENT, topicPlan({ partitions: 2, replicationFactor: 1 }));
});
afterEach(async () => {
  await stack.close();
});

it('with a broker killed again and again nothing is lost or repeated, and the same consumer continues', async () => {
  const records = 1_600;
  const log = await openKafkaLog(settings, SILENT);
  for (let sent = 0; sent < records; sent += 400) {
    await log.append(
      Array.from({ length: 400 }, (_, index) => ({
        topic: TOPICS.samples,
        record: text(`sample ${sent + index}`, `${index}`),
      })),
    );
  }
  const transactions: string[] = [];
  const waitedFor = new Set<string>();
  const stop = new AbortController();
  let settled = 0;
  const consuming = log
    .submissionLog({
      ...SHORT,
      maxBatchRecords: 10,
      onTransaction: (result) => {
        transactions.push(result);
      },
      onRetry: ({ code }) => {
        waitedFor.add(code);
      },
    })
    .consume(
      async (batch) => {
        await sleep(5);
        return { settlements: settlementsOf(batch) };
      },
      {
        until: 'aborted',
        signal: stop.signal,
        settled: ({ settlements }) => {
          settled += settlements.length;
        },
      },
    );
  const [broker] = stack.servers.brokers;
  for (const after of [100, 400, 800, 1_200]) {
    await eventually(() => Promise.resolve(settled >= after || undefined));
    await broker?.kill();
    await sleep(300);
    await broker?.start();
  }
  await eventually(() => Promise.resolve(settled >= records || undefined));
  stop.abort();
  await consuming;
  expect(await faultsOf(log)).toEqual({ outcomes: records, faults: NO_FAULTS });
  expect([...waitedFor]).toContain('KAFKA_UNREACHABLE');
  await log.close();
});
