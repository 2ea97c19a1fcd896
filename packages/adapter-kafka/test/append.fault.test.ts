import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@residency/contracts';
import { eventually } from '@residency/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KAFKA_API, openProxiedKafka } from '../../../test/faults/fault-proxy/index.ts';
import type {
  FaultKind,
  FaultProxy,
  KafkaRequest,
  ProxiedKafka,
} from '../../../test/faults/fault-proxy/index.ts';
import { openKafkaLog } from '../src/kafka-log.ts';
import type { KafkaLog } from '../src/kafka-log.ts';
import { createTopics } from '../src/topics/create-topics.ts';
import { topicPlan } from '../src/topics/topic-plan.ts';
import { SILENT, text } from './some-kafka.ts';

let kafka: ProxiedKafka;
let proxy: FaultProxy<KafkaRequest>;
let log: KafkaLog;
let tests = 0;

beforeAll(async () => {
  kafka = await openProxiedKafka({ brokers: 1 });
  [proxy] = kafka.proxies as [FaultProxy<KafkaRequest>];
});
afterAll(() => kafka.close());

beforeEach(async () => {
  tests += 1;
  const settings = {
    brokers: kafka.brokers,
    clientId: 'test',
    log: 'log-1',
    topicPrefix: `f${tests}.`,
  };
  await createTopics(settings, SILENT, topicPlan({ partitions: 2, replicationFactor: 1 }));
  log = await openKafkaLog(settings, SILENT);
});
afterEach(async () => {
  proxy.clear();
  await log.close();
});

const ofProduce = ({ apiKey }: KafkaRequest): boolean => apiKey === KAFKA_API.produce;
const append = async (value: string): Promise<bigint | undefined> =>
  (await log.append([{ topic: TOPICS.samples, record: text(value, 'k') }]))[0]?.offset;
const contents = async (): Promise<string[]> =>
  (await Array.fromAsync(log.read(TOPICS.samples, { until: 'end' }))).map(({ value }) =>
    String(value),
  );

describe('a send', () => {
  it.each<[string, FaultKind]>([
    ['that fails', 'cut'],
    ['that fails but is kept', 'drop-answer'],
  ])('%s is tried again by itself, and its records stand in the log once', async (_, kind) => {
    await append('first');
    const fault = proxy.inject({ kind, when: ofProduce, times: 2 });
    expect(await append('second')).toBe(1n);
    expect(fault.hits).toBe(2);
    expect(await append('third')).toBe(2n);
    expect(await contents()).toEqual(['first', 'second', 'third']);
  });

  it('that fails permanently keeps nothing and may be repeated', async () => {
    await append('first');
    const fault = proxy.inject({ kind: 'cut', when: ofProduce, times: 1_000 });
    await expect(append('second')).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      remedy: 'retry',
    });
    fault.clear();
    expect(await append('second')).toBe(1n);
    expect(await contents()).toEqual(['first', 'second']);
  });

  it('that fails but persists does not swallow the next one, which the broker could take for its repetition', async () => {
    await append('first');
    const fault = proxy.inject({ kind: 'drop-answer', when: ofProduce, times: 1_000 });
    await expect(append('kept')).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      remedy: 'retry',
    });
    fault.clear();
    expect(await append('next')).toBe(2n);
    expect(await contents()).toEqual(['first', 'kept', 'next']);
  });

  it("without a response does not block another partition's", async () => {
    const fault = proxy.inject({ kind: 'stall-answer', when: ofProduce });
    const waiting = log.append([{ topic: TOPICS.samples, record: text('waits', 'k') }]);
    await fault.met;
    await log.append([{ topic: TOPICS.samples, record: text('goes', 'other-2') }]);
    fault.clear();
    await waiting;
    expect((await contents()).toSorted()).toEqual(['goes', 'waits']);
  });
});

it('dropped connections under many concurrent calls leave no connection open', async () => {
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
  const reads = new AbortController();
  const reading = Array.from({ length: 4 }, () =>
    Array.fromAsync(log.read(TOPICS.samples, { until: 'aborted', signal: reads.signal })).catch(
      () => [],
    ),
  );
  for (let round = 0; round < 5; round += 1) {
    const calls = Array.from({ length: 30 }, (_, index) => append(`${round}/${index}`));
    const questions = Array.from({ length: 10 }, () => log.lag());
    await sleep(5);
    proxy.reset();
    await Promise.all([...calls, ...questions]);
  }
  expect(new Set(await contents()).size).toBe(150);
  expect(await contents()).toHaveLength(150);
  reads.abort();
  await Promise.all(reading);
  await log.close();
  await eventually(() => Promise.resolve(sockets() === 0 ? true : undefined));
});

describe('a reader', () => {
  it('whose connection is dropped continues behind the last returned record', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { value } of log.read(TOPICS.samples, {
        until: 'aborted',
        signal: stop.signal,
      }))
        seen.push(String(value));
    })();
    for (let index = 0; index < 30; index += 1) {
      await append(`${index}`);
      if (index % 5 === 0) proxy.reset();
    }
    await eventually(() => Promise.resolve(seen.length >= 30 ? true : undefined));
    stop.abort();
    await reading;
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => `${index}`));
  });

  it('that cannot reach Kafka reports it in the end, and a view stops and resumes', async () => {
    const view = log.policyView();
    await log.tick(1);
    const before = await eventually(
      async () =>
        await view.read().then(
          ({ watermark }) => (watermark > 0 ? watermark : undefined),
          () => undefined,
        ),
    );
    const reading = Array.fromAsync(log.read(TOPICS.samples, { until: 'aborted' }));
    proxy.refuse();
    proxy.reset();
    await expect(reading).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', remedy: 'retry' });
    expect((await view.read()).watermark).toBe(before);
    const young = log.policyView();
    await expect(young.read()).rejects.toMatchObject({ code: 'VIEW_NOT_READ', remedy: 'retry' });
    await eventually(() =>
      young.read().then(
        () => undefined,
        (error: { code: string }) => (error.code === 'KAFKA_UNREACHABLE' ? true : undefined),
      ),
    );
    proxy.clear();
    await eventually(async () => {
      await log.tick(2).catch(() => {});
      return (await view.read()).watermark > before ? true : undefined;
    });
    await eventually(() => young.read().catch(() => undefined));
  });
});
