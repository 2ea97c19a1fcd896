import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import { sharedRedis, sharedSites } from '../../stack/index.ts';
import type { TestSite } from '../../stack/index.ts';
import { KAFKA_API, openProxiedKafka } from '../fault-proxy/index.ts';
import type {
  Fault,
  FaultKind,
  FaultProxy,
  HttpRequest,
  KafkaRequest,
  ProxiedKafka,
  RedisRequest,
} from '../fault-proxy/index.ts';
import { behindProxies } from './behind-proxies.ts';
import type { BehindProxies } from './behind-proxies.ts';
import { judgeDeployment } from './judge-deployment.ts';
import { Publisher, someOfEach } from './publisher.ts';

// Every call of a router and of the projector to another process is broken on a running system: it
// fails, or it is executed and its response is lost. The system must then settle what was published
// meanwhile, and nothing more.

const ROUTER = 'residency-router';
const PROJECTOR = 'residency-consent-projector';
/** Also the requests that only read. */
const API = { ...KAFKA_API, listOffsets: 2, offsetFetch: 9, heartbeat: 12 } as const;
/** The SDK's attempts at one call before it fails for the router. */
const S3_ATTEMPTS = 3;

let kafka: ProxiedKafka;
let broker: FaultProxy<KafkaRequest>;
let deployment: Deployment;
let router: BehindProxies;
let projector: BehindProxies;
let publisher: Publisher;
let consent: string;

beforeAll(async () => {
  kafka = await openProxiedKafka({ brokers: 1 });
  [broker] = kafka.proxies as [FaultProxy<KafkaRequest>];
  deployment = await Deployment.open(
    { kafka: kafka.stack.kafka, sites: await sharedSites(), redis: await sharedRedis() },
    {
      env: { RESIDENCY_WATERMARK_MARGIN_MS: '100' },
    },
  );
  [router, projector] = [await behindProxies(deployment), await behindProxies(deployment)];
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
});

afterEach(() => {
  for (const proxy of [broker, router, projector]) proxy.clear();
});

afterAll(async () => {
  await deployment.close();
  await Promise.all([router.close(), projector.close()]);
  await kafka.close();
});

const viaProxies = (): Readonly<Record<string, string>> => ({
  RESIDENCY_KAFKA_BROKERS: kafka.brokers.join(','),
});
const ofKafka =
  (client: string, apiKey: number, topic?: Topic) =>
  (request: KafkaRequest): boolean =>
    request.apiKey === apiKey &&
    request.clientId === client &&
    (topic === undefined || request.bytes.includes(`${deployment.kafka.topicPrefix}${topic}`));
const ofSamples =
  (method: string) =>
  (request: HttpRequest): boolean =>
    request.method === method && request.path.includes('/samples/');
const ofRedis =
  (command: string) =>
  (request: RedisRequest): boolean =>
    request.command === command;

/** Publishes until each fault was met, and waits until everything is settled. */
async function routeThrough(...faults: readonly Pick<Fault<never>, 'hits'>[]): Promise<void> {
  do {
    await publisher.publish(someOfEach(consent));
    await publisher.settled();
  } while (faults.some(({ hits }) => hits === 0));
}

const KINDS = ['cut', 'drop-answer'] as const satisfies readonly FaultKind[];
const said = { cut: 'failed', 'drop-answer': 'failed but persisted' } as const;
const eachKind = <Case extends object>(cases: readonly Case[]) =>
  cases.flatMap((one) => KINDS.map((kind) => ({ ...one, kind, how: said[kind] })));

test('a projector and a router become ready although each of their first calls fails', async () => {
  const faults = [
    ...[ROUTER, PROJECTOR].map((client) =>
      broker.inject({ kind: 'cut', when: ofKafka(client, API.metadata) }),
    ),
    // Not its response, nor SyncGroup: the group would wait for an unknown member for a whole
    // session timeout.
    broker.inject({ kind: 'cut', when: ofKafka(ROUTER, API.joinGroup) }),
    ...[
      API.findCoordinator,
      API.offsetFetch,
      API.listOffsets,
      API.fetch,
      API.initProducerId,
    ].flatMap((api) => KINDS.map((kind) => broker.inject({ kind, when: ofKafka(ROUTER, api) }))),
    router.sites['zrh-2'].inject({
      kind: 'cut',
      times: S3_ATTEMPTS,
      when: ({ method }) => method === 'GET',
    }),
    router.redis.inject({ kind: 'cut', when: ofRedis('INFO') }),
    projector.redis.inject({ kind: 'cut', when: ofRedis('INFO') }),
  ];
  const [, routing] = await Promise.all([
    deployment.start('consent-projector', { ...viaProxies(), ...projector.env }),
    deployment.start('router', { ...viaProxies(), ...router.env }),
  ]);
  // It may have been ready in between, and nothing was published that could settle.
  await Promise.all(faults.map(({ met }) => met));
  await sleep(1_000);
  expect((await (await routing.ready()).readiness()).checks.every(({ ok }) => ok)).toBe(true);
  await routeThrough();
});

describe("of a router's transaction", () => {
  const calls = [
    { call: 'Produce of audit events', api: API.produce, topic: TOPICS.audit },
    { call: 'Produce of quarantine pointers', api: API.produce, topic: TOPICS.quarantine },
    { call: 'AddPartitionsToTxn', api: API.addPartitionsToTxn },
    { call: 'AddOffsetsToTxn', api: API.addOffsetsToTxn },
    { call: 'TxnOffsetCommit', api: API.txnOffsetCommit },
    { call: 'EndTxn', api: API.endTxn },
  ];
  test.each(eachKind(calls))('$call $how', async ({ api, topic, kind }) => {
    const fault = broker.inject({ kind, when: ofKafka(ROUTER, api, topic) });
    await routeThrough(fault);
    expect(fault.hits).toBe(1);
  });

  test.each(eachKind([{ call: 'InitProducerId' }]))(
    '$call $how, after a commit that failed',
    async ({ kind }) => {
      const faults = [
        broker.inject({ kind: 'cut', when: ofKafka(ROUTER, API.endTxn) }),
        broker.inject({ kind, when: ofKafka(ROUTER, API.initProducerId) }),
      ];
      await routeThrough(...faults);
      expect(faults.map(({ hits }) => hits)).toEqual([1, 1]);
    },
  );

  test('many responses in a row are lost', async () => {
    const faults = [
      API.addPartitionsToTxn,
      API.produce,
      API.txnOffsetCommit,
      API.endTxn,
      API.initProducerId,
    ].map((api) => broker.inject({ kind: 'drop-answer', times: 3, when: ofKafka(ROUTER, api) }));
    await routeThrough(...faults);
    expect(faults.every(({ hits }) => hits > 0)).toBe(true);
  });
});

describe("of a router's reads", () => {
  test.each([
    { call: 'Fetch', api: API.fetch },
    { call: 'Heartbeat', api: API.heartbeat },
  ])("Kafka's $call fails", async ({ api }) => {
    const fault = broker.inject({ kind: 'cut', when: ofKafka(ROUTER, api) });
    await routeThrough(fault);
    expect(fault.hits).toBe(1);
  });

  test.each(eachKind([{ call: 'the consents in Redis' }]))(
    'reading $call $how',
    async ({ kind }) => {
      const fault = router.redis.inject({ kind, when: ofRedis('MGET') });
      await routeThrough(fault);
      expect(fault.hits).toBe(1);
    },
  );
});

describe("of a router's sites", () => {
  const calls = [
    ...(['zrh-1', 'zrh-2', 'mow-1'] as const).map((site) => ({
      call: `PUT to ${site}`,
      site,
      method: 'PUT',
    })),
    { call: 'HEAD of zrh-1', site: 'zrh-1' as TestSite, method: 'HEAD' },
  ].flatMap((call) => [1, S3_ATTEMPTS].map((times) => ({ ...call, times })));
  test.each(eachKind(calls))(
    '$call $how, $times time(s) in a row',
    async ({ site, method, times, kind }) => {
      const fault = router.sites[site].inject({ kind, times, when: ofSamples(method) });
      await routeThrough(fault);
      expect(fault.hits).toBe(times);
    },
  );
});

describe('of the projector', () => {
  /** Expects a consent given and one withdrawn meanwhile to be respected. */
  async function projectThrough(...faults: readonly Pick<Fault<never>, 'hits'>[]): Promise<void> {
    do {
      const [given, withdrawn] = [await publisher.grant(), await publisher.grant()];
      await publisher.publish([{ country: 'CH', consent: withdrawn, becomes: 'stored zurich' }]);
      await publisher.withdraw(withdrawn);
      await publisher.publish([
        { country: 'CH', consent: given, becomes: 'stored zurich' },
        { country: 'RU', consent: withdrawn, becomes: 'refused CONSENT_WITHDRAWN' },
      ]);
      await publisher.settled();
    } while (faults.some(({ hits }) => hits === 0));
  }

  test.each(
    eachKind([
      { call: 'EVAL', what: 'the script that applies' },
      { call: 'MGET', what: 'reading what is projected' },
    ]),
  )('$what in Redis $how', async ({ call, kind }) => {
    const fault = projector.redis.inject({ kind, when: ofRedis(call) });
    await projectThrough(fault);
    expect(fault.hits).toBe(1);
  });

  test.each(eachKind([{ topic: TOPICS.consents }, { topic: TOPICS.policy }]))(
    'Produce of a tick to $topic $how',
    async ({ topic, kind }) => {
      const fault = broker.inject({ kind, when: ofKafka(PROJECTOR, API.produce, topic) });
      await projectThrough(fault);
      expect(fault.hits).toBe(1);
    },
  );

  test("Kafka's Fetch fails", async () => {
    const fault = broker.inject({ kind: 'cut', when: ofKafka(PROJECTOR, API.fetch) });
    await projectThrough(fault);
    expect(fault.hits).toBe(1);
  });
});

test('after all faults each record has one outcome, and the sites agree with the audit log', async () => {
  // Nothing is in flight that could still become visible.
  await sleep(500);
  expect(publisher.expected.size).toBeGreaterThan(150);
  expect(await judgeDeployment(deployment, publisher.expected)).toEqual([]);
});
