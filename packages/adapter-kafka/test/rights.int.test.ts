import { TOPICS, custodyTopic } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { settlementsOf, someCustodyEvent } from '@residency/testkit';
import type { AclEntry } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createKafka } from '../src/kafka-client.ts';
import { openKafkaLog } from '../src/kafka-log.ts';
import type { KafkaLog } from '../src/kafka-log.ts';
import type { KafkaSettings } from '../src/kafka-settings.ts';
import { readNow } from '../src/read-now.ts';
import { custodianGroup, routerGroup } from '../src/topic-name.ts';
import { checkTopics } from '../src/topics/check-topics.ts';
import { createTopics } from '../src/topics/create-topics.ts';
import { topicPlan } from '../src/topics/topic-plan.ts';
import { SHORT } from './custody-log/some-custody.ts';
import { openSecondListener } from './second-listener.ts';
import type { SecondListener } from './second-listener.ts';
import { SILENT, asAdmin, text } from './some-kafka.ts';

/** The numbers of Kafka's protocol: kafkajs may be loaded by one file alone. */
const [READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS] = [3, 4, 8, 10];
const [TOPIC, GROUP, TRANSACTIONAL_ID] = [2, 3, 5];
const [LITERAL, PREFIXED] = [3, 4];
const ALLOW = 3;

/** The users of docs/how-to/run-on-a-cluster.md, Rights. */
const USERS = [
  'publisher',
  'router',
  'custodian-zurich',
  'custodian-moscow',
  'auditor',
  'reconciler',
] as const;
type User = (typeof USERS)[number];
const REGIONS = ['zurich', 'moscow'];

interface Rights {
  readonly read?: readonly Topic[];
  readonly write?: readonly Topic[];
  readonly group?: string;
  /** Transactional ids that begin so. */
  readonly transactions?: string;
}

/** The logs that have ledgers, besides the control log, which everybody reads. */
const LEDGERED = [TOPICS.audit, TOPICS.policy, TOPICS.consents, ...REGIONS.map(custodyTopic)];
const custodian = (region: string): Rights => ({
  read: [TOPICS.audit, TOPICS.samples, TOPICS.policy, custodyTopic(region)],
  write: [custodyTopic(region)],
  group: custodianGroup('', region),
  transactions: custodianGroup('', region),
});
const RIGHTS: Readonly<Record<User, Rights>> = {
  publisher: { write: [TOPICS.samples, TOPICS.consents, TOPICS.subjects], read: [TOPICS.audit] },
  router: {
    read: [TOPICS.samples, TOPICS.policy, TOPICS.audit, TOPICS.quarantine],
    write: [TOPICS.audit, TOPICS.quarantine],
    group: routerGroup(''),
    transactions: routerGroup(''),
  },
  'custodian-zurich': custodian('zurich'),
  'custodian-moscow': custodian('moscow'),
  auditor: { read: LEDGERED },
  reconciler: {
    read: [
      TOPICS.audit,
      TOPICS.samples,
      TOPICS.quarantine,
      TOPICS.policy,
      ...REGIONS.map(custodyTopic),
    ],
  },
};

function aclsOf(user: User): readonly AclEntry[] {
  const { read = [], write = [], group, transactions } = RIGHTS[user];
  const allow = (
    resourceType: number,
    resourceName: string,
    operation: number,
    pattern: number = LITERAL,
  ): AclEntry => ({
    resourceType,
    resourceName,
    resourcePatternType: pattern,
    principal: `User:${user}`,
    host: '*',
    operation,
    permissionType: ALLOW,
  });
  return [
    allow(TOPIC, '*', DESCRIBE),
    allow(TOPIC, '*', DESCRIBE_CONFIGS),
    ...[TOPICS.control, ...read].map((topic) => allow(TOPIC, topic, READ)),
    ...write.map((topic) => allow(TOPIC, topic, WRITE)),
    ...(group === undefined ? [] : [allow(GROUP, group, READ)]),
    ...(transactions === undefined
      ? []
      : [WRITE, DESCRIBE].map((one) => allow(TRANSACTIONAL_ID, transactions, one, PREFIXED))),
  ];
}

let listener: SecondListener;

beforeAll(async () => {
  // The listener that asks who somebody is is the second one.
  listener = await openSecondListener({
    'listener.security.protocol.map':
      'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_PLAINTEXT',
    'listener.name.proxied.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.proxied.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${USERS.map((user) => `user_${user}="secret"`).join(' ')};`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  });
  await createTopics(
    operator(),
    SILENT,
    topicPlan({ partitions: 1, replicationFactor: 1, regions: REGIONS }),
  );
  await asAdmin(createKafka(operator(), SILENT), async (admin) => {
    await admin.createAcls({ acl: USERS.flatMap((user) => aclsOf(user)) });
  });
});

afterAll(async () => {
  await listener.close();
});

/** May do everything: over the listener that asks nobody. */
function operator(): KafkaSettings {
  return { brokers: listener.stack.kafka.brokers, clientId: 'test', log: 'log-1', topicPrefix: '' };
}

function settingsOf(user: User): KafkaSettings {
  const sasl = { mechanism: 'plain', username: user, password: 'secret' } as const;
  return { ...operator(), brokers: [`127.0.0.1:${listener.port}`], sasl };
}

async function open(settings: KafkaSettings): Promise<KafkaLog> {
  const log = await openKafkaLog(settings, SILENT);
  onTestFinished(() => log.close());
  return log;
}

const values = async (topic: Topic): Promise<number> =>
  (await Array.fromAsync((await open(operator())).read(topic, { until: 'end' }))).length;

describe('with its rights, and no others', () => {
  it.each(USERS)('%s finds every topic as it must be, and reads the control log', async (user) => {
    const settings = settingsOf(user);
    expect(await checkTopics(settings, SILENT, REGIONS)).toEqual([]);
    const log = await open(settings);
    await readNow(log, TOPICS.control, log.controlView(), AbortSignal.timeout(60_000));
  });

  it('a publisher publishes, and a router settles what it published', async () => {
    const publisher = await open(settingsOf('publisher'));
    await publisher.append([{ topic: TOPICS.samples, record: text('a sample', 'one') }]);
    const router = await open(settingsOf('router'));
    await router
      .submissionLog(SHORT)
      .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
        until: 'end',
        signal: AbortSignal.timeout(120_000),
      });
    expect(await values(TOPICS.audit)).toBeGreaterThanOrEqual(1);
  });

  it.each(REGIONS)(
    'the custodian of %s leads, reads the audit log, and appends',
    async (region) => {
      const user = region === 'zurich' ? 'custodian-zurich' : 'custodian-moscow';
      const log = await open(settingsOf(user));
      await readNow(log, TOPICS.policy, log.policyView(), AbortSignal.timeout(60_000));
      const stop = new AbortController();
      await log.custodian(region, SHORT).lead(
        async (custody) => {
          const feed = log.auditFeed();
          for (const partition of await feed.partitions())
            await Array.fromAsync(feed.read(partition, 0n));
          await custody.append([someCustodyEvent(0, { region })]);
          stop.abort();
        },
        {
          signal: AbortSignal.any([stop.signal, AbortSignal.timeout(120_000)]),
          waits: () => undefined,
        },
      );
      expect(await values(custodyTopic(region))).toBe(1);
    },
  );

  it('an auditor reads every log that has a ledger', async () => {
    const log = await open(settingsOf('auditor'));
    for (const topic of [TOPICS.control, ...LEDGERED])
      expect(await Array.fromAsync(log.read(topic, { until: 'end' }))).toHaveLength(
        await values(topic),
      );
  });

  it('a reconciler reads every custody log', async () => {
    const log = await open(settingsOf('reconciler'));
    for (const region of REGIONS)
      expect(await Array.fromAsync(log.read(custodyTopic(region), { until: 'end' }))).toHaveLength(
        await values(custodyTopic(region)),
      );
  });
});

describe('nobody else', () => {
  const others = (may: readonly User[]): readonly User[] =>
    USERS.filter((user) => !may.includes(user));
  const cases = [
    ...others(['custodian-zurich']).map((user) => [user, custodyTopic('zurich')] as const),
    ...others(['custodian-moscow']).map((user) => [user, custodyTopic('moscow')] as const),
    ...others([]).map((user) => [user, TOPICS.control] as const),
    ...others(['router']).map((user) => [user, TOPICS.audit] as const),
  ];

  it.each(cases)('%s does not write to %s', async (user, topic) => {
    const log = await open(settingsOf(user));
    const before = await values(topic);
    await expect(log.append([{ topic, record: text('forged', 'forged') }])).rejects.toMatchObject({
      code: 'KAFKA_AUTHORIZATION',
      remedy: 'stop',
    });
    expect(await values(topic)).toBe(before);
  });

  it.each(others(['custodian-zurich']))(
    '%s does not open the custody log of zurich',
    async (user) => {
      const log = await open(settingsOf(user));
      // kafkajs drops the answer if it concerns the coordinator of a transactional id.
      await expect(log.custodyLog('zurich', SHORT)).rejects.toMatchObject({
        code: expect.stringMatching(/^KAFKA_(?:AUTHORIZATION|UNREACHABLE)$/),
      });
    },
  );

  it('a custodian reads no other region’s custody log', async () => {
    const log = await open(settingsOf('custodian-moscow'));
    await expect(
      Array.fromAsync(log.read(custodyTopic('zurich'), { until: 'end' })),
    ).rejects.toMatchObject({ code: 'KAFKA_AUTHORIZATION' });
  });
});
