import { readFile } from 'node:fs/promises';
import { TOPICS } from '@residency/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openKafkaLog } from '../src/kafka-log.ts';
import type { KafkaSettings } from '../src/kafka-settings.ts';
import { createTopics } from '../src/topics/create-topics.ts';
import { topicPlan } from '../src/topics/topic-plan.ts';
import { openSecondListener } from './second-listener.ts';
import type { SecondListener } from './second-listener.ts';
import { SILENT } from './some-kafka.ts';

const pem = async (name: string): Promise<string> =>
  await readFile(new URL(`TEST-TLS/localhost.${name}.pem`, import.meta.url), 'utf8');
const inProperties = (text: string): string => text.trim().replaceAll('\n', String.raw`\n`);

let listener: SecondListener;
let settings: KafkaSettings;

beforeAll(async () => {
  // The second listener speaks TLS and asks for a password.
  const [key, cert] = [await pem('key'), await pem('cert')];
  listener = await openSecondListener({
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_SSL',
    'listener.name.proxied.ssl.keystore.type': 'PEM',
    'listener.name.proxied.ssl.keystore.key': inProperties(key),
    'listener.name.proxied.ssl.keystore.certificate.chain': inProperties(cert),
    'listener.name.proxied.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.proxied.plain.sasl.jaas.config':
      'org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="broker" user_router="secret-1";',
  });
  settings = {
    brokers: [`127.0.0.1:${listener.port}`],
    clientId: 'test',
    log: 'log-1',
    topicPrefix: '',
    tls: { ca: cert },
    sasl: { mechanism: 'plain', username: 'router', password: 'secret-1' },
  };
});

afterAll(async () => {
  await listener.close();
});

it('appends and reads over TLS with a password', async () => {
  await createTopics(settings, SILENT, topicPlan({ partitions: 1, replicationFactor: 1 }));
  const log = await openKafkaLog(settings, SILENT);
  await log.tick(1);
  expect(await Array.fromAsync(log.read(TOPICS.consents, { until: 'end' }))).toHaveLength(1);
  await log.close();
});

it.each<[string, (good: KafkaSettings) => Partial<KafkaSettings>]>([
  [
    'a wrong password',
    () => ({ sasl: { mechanism: 'plain', username: 'router', password: 'CANARY' } }),
  ],
  [
    'a mechanism the brokers do not offer',
    () => ({ sasl: { mechanism: 'scram-sha-256', username: 'router', password: 'CANARY' } }),
  ],
  ["an authority that did not sign the brokers' certificate", () => ({ tls: {} })],
])('stops at %s and does not repeat the secret', async (_, change) => {
  const error: unknown = await openKafkaLog({ ...settings, ...change(settings) }, SILENT).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'KAFKA_AUTHENTICATION', remedy: 'stop' });
  expect(String(error)).not.toContain('CANARY');
});
