import { TOPICS } from '@residency/contracts';
import type { Position } from '@residency/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStack } from '../../../test/stack/index.ts';
import type { OwnStack } from '../../../test/stack/index.ts';
import { openKafkaLog } from '../src/kafka-log.ts';
import type { KafkaLog } from '../src/kafka-log.ts';
import { createTopics } from '../src/topics/create-topics.ts';
import { topicPlan } from '../src/topics/topic-plan.ts';
import { SILENT, text } from './some-kafka.ts';

let stack: OwnStack;
let log: KafkaLog;

beforeAll(async () => {
  stack = await openStack({ brokers: 3 });
  const settings = {
    brokers: stack.kafka.brokers,
    clientId: 'test',
    log: 'log-1',
    topicPrefix: '',
  };
  await createTopics(settings, SILENT, topicPlan({ partitions: 6, replicationFactor: 3 }));
  log = await openKafkaLog(settings, SILENT);
});
afterAll(async () => {
  await log.close();
  await stack.close();
});

it('brokers killed one after another lose no acknowledged record, and a following reader sees each record once', async () => {
  const acknowledged = new Map<string, string>();
  const placeOf = ({ partition, offset }: Pick<Position, 'partition' | 'offset'>): string =>
    `${partition}/${offset}`;
  const followed: string[] = [];
  const stop = new AbortController();
  const next = new Map<number, bigint>();
  const follow = async (): Promise<void> => {
    for await (const record of log.read(TOPICS.samples, {
      from: next,
      until: 'aborted',
      signal: stop.signal,
    })) {
      followed.push(placeOf(record));
      next.set(record.partition, record.offset + 1n);
    }
  };
  // What a reader does: brokers may be away for longer than one reading waits; it goes on from
  // where it was.
  const following = (async () => {
    while (!stop.signal.aborted)
      await follow().catch((error: { remedy: string }) => {
        expect(error.remedy).toBe('retry');
      });
  })();
  const enough = new AbortController();
  const appending = Array.from({ length: 3 }, async (_, worker) => {
    for (let index = 0; !enough.signal.aborted; index += 1) {
      const entries = Array.from({ length: 10 }, (__, each) => ({
        topic: TOPICS.samples,
        record: text(`${worker}/${index}/${each}`, `${each}`),
      }));
      // What a publisher does: a call that may have been kept is made again.
      const positions = await log.append(entries).catch((error: { remedy: string }) => {
        expect(error.remedy).toBe('retry');
      });
      positions?.forEach((position, each) =>
        acknowledged.set(placeOf(position), String(entries[each]?.record.value)),
      );
    }
  });
  for (const broker of stack.servers.brokers.slice(0, 2)) {
    const before = acknowledged.size;
    await broker.kill();
    await new Promise((resolve) => {
      setTimeout(resolve, 8_000);
    });
    await broker.start();
    await expect.poll(() => acknowledged.size).toBeGreaterThan(before);
    await new Promise((resolve) => {
      setTimeout(resolve, 3_000);
    });
  }
  enough.abort();
  await Promise.all(appending);
  const found = new Map(
    (await Array.fromAsync(log.read(TOPICS.samples, { until: 'end' }))).map((record) => [
      placeOf(record),
      String(record.value),
    ]),
  );
  for (const [place, value] of acknowledged) expect(found.get(place)).toBe(value);
  expect(acknowledged.size).toBeGreaterThan(100);
  await expect.poll(() => followed.length).toBe(found.size);
  expect(new Set(followed)).toEqual(new Set(found.keys()));
  stop.abort();
  await following;
});

it('any frozen broker delays clients for a limited time: they continue with the others', async () => {
  for (const broker of stack.servers.brokers) {
    const impatient = {
      brokers: stack.kafka.brokers,
      clientId: 'test',
      log: 'log-1',
      topicPrefix: '',
      requestTimeoutMs: 3_000,
    };
    const before = await openKafkaLog(impatient, SILENT);
    const policies = before.policyView();
    await before.tick(1);
    await expect
      .poll(() =>
        policies.readFollowed().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    broker.freeze();
    try {
      // Those that were open, and those that are opened now.
      const after =
        (await openKafkaLog(impatient, SILENT).catch(() => undefined)) ??
        (await openKafkaLog(impatient, SILENT));
      for (const each of [before, after]) {
        const tick = async (): Promise<boolean> =>
          await each.tick(2).then(
            () => true,
            (error: { remedy: string }) => {
              expect(error.remedy).toBe('retry');
              return false;
            },
          );
        await expect.poll(tick).toBe(true);
        const progress = async (): Promise<number> =>
          await each.progress().then(
            ({ length }) => length,
            (error: { remedy: string }) => {
              expect(error.remedy).toBe('retry');
              return 0;
            },
          );
        await expect.poll(progress).toBe(6);
      }
      const { watermark } = await policies.read();
      await expect
        .poll(async () => {
          await before.tick(3).catch(() => undefined);
          return (await policies.read()).watermark;
        })
        .toBeGreaterThan(watermark);
      await after.close();
    } finally {
      broker.thaw();
    }
    await before.close();
    await expect
      .poll(() =>
        log.tick(4).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  }
});
