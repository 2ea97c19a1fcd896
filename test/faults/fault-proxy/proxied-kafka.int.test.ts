import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KAFKA_API, openProxiedKafka } from './index.ts';
import type { FaultProxy, KafkaRequest, ProxiedKafka } from './index.ts';

let kafka: ProxiedKafka;
let proxy: FaultProxy<KafkaRequest>;
beforeAll(async () => {
  kafka = await openProxiedKafka({
    brokers: 1,
    kafkaSettings: { 'auto.create.topics.enable': 'true' },
  });
  [proxy] = kafka.proxies as [FaultProxy<KafkaRequest>];
});
afterAll(() => kafka.close());

async function kcat(
  broker: string | undefined,
  args: readonly string[],
  input = '',
): Promise<string> {
  const run = promisify(execFile)('kcat', ['-b', broker ?? '', ...args], { timeout: 300_000 });
  run.child.stdin?.end(input);
  return (await run).stdout;
}

const FAILED = /transport failure|Delivery failed/;
/** Without the client's own retries, so that the result is that of one request. */
const produce = (topic: string, value: string): Promise<string> =>
  kcat(
    kafka.brokers[0],
    ['-P', '-t', topic, '-X', 'message.send.max.retries=0', '-X', 'enable.idempotence=false'],
    value,
  );
const log = (topic: string): Promise<string> =>
  kcat(kafka.stack.kafka.brokers[0], ['-C', '-t', topic, '-o', 'beginning', '-e', '-q']);

test('brokers advertise the proxy to clients that bootstrap from it', async () => {
  const { brokers } = JSON.parse(await kcat(kafka.brokers[0], ['-L', '-J'])) as {
    brokers: { name: string }[];
  };
  expect(brokers.map(({ name }) => name)).toEqual([`127.0.0.1:${proxy.port}`]);
});

test('a cut produce request leaves nothing in the log; one whose response is dropped leaves its record', async () => {
  await produce('one', 'first');
  const cut = proxy.inject({ kind: 'cut', when: ({ apiKey }) => apiKey === KAFKA_API.produce });
  await expect(produce('one', 'cut')).rejects.toThrow(FAILED);
  const dropped = proxy.inject({
    kind: 'drop-answer',
    when: ({ apiKey, bytes }) => apiKey === KAFKA_API.produce && bytes.includes('one'),
  });
  await expect(produce('one', 'persisted')).rejects.toThrow(FAILED);
  await produce('one', 'last');
  expect([cut.hits, dropped.hits]).toEqual([1, 1]);
  expect((await log('one')).split('\n').filter(Boolean)).toEqual(['first', 'persisted', 'last']);
});
