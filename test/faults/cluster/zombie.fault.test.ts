import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { sharedRedis, sharedSites } from '../../stack/index.ts';
import { KAFKA_API, openProxiedKafka } from '../fault-proxy/index.ts';
import type { ProxiedKafka } from '../fault-proxy/index.ts';
import { behindProxies } from './behind-proxies.ts';
import type { BehindProxies } from './behind-proxies.ts';
import { judgeDeployment } from './judge-deployment.ts';
import { Publisher } from './publisher.ts';
import type { Sample } from './publisher.ts';

/** The shortest session timeout that is allowed. */
const SESSION_MS = '25000';

let kafka: ProxiedKafka;
let deployment: Deployment;
let proxies: BehindProxies;
let publisher: Publisher;
let consent: string;

beforeAll(async () => {
  kafka = await openProxiedKafka({ brokers: 1 });
  deployment = await Deployment.open(
    { kafka: kafka.stack.kafka, sites: await sharedSites(), redis: await sharedRedis() },
    {
      env: { RESIDENCY_WATERMARK_MARGIN_MS: '100', RESIDENCY_SESSION_TIMEOUT_MS: SESSION_MS },
    },
  );
  proxies = await behindProxies(deployment);
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
});

afterAll(async () => {
  await deployment.close();
  await proxies.close();
  await kafka.close();
});

/** For each partition a key that leads to it. */
async function keys(): Promise<readonly [string, string]> {
  const tried = Array.from({ length: 20 }, (_, index) => `key-${index}`);
  const positions = await publisher.publish(
    tried.map((key) => ({ country: 'CH', consent, becomes: 'stored zurich', key })),
  );
  const [first, second] = [0, 1].map(
    (partition) => tried[positions.findIndex((position) => position.partition === partition)],
  );
  if (first === undefined || second === undefined)
    throw new Error('Expected keys for both partitions.');
  return [first, second];
}

const inZurich = (key: string): Sample => ({
  country: 'CH',
  consent,
  becomes: 'stored zurich',
  key,
});
const inMoscow = (key: string): Sample => ({
  country: 'RU',
  consent,
  becomes: 'stored moscow',
  key,
});

/**
 * Holds a router in the middle of its work until cleared: its next PUT to zrh-1 and its next commit
 * are in flight and do not arrive.
 */
function holdWork(): {
  readonly put: { readonly met: Promise<void>; readonly hits: number };
  readonly commit: { readonly met: Promise<void>; readonly hits: number };
} {
  const [broker] = kafka.proxies;
  if (broker === undefined) throw new Error('Expected a proxy.');
  return {
    put: proxies.sites['zrh-1'].inject({
      kind: 'late',
      when: ({ method, path }) => method === 'PUT' && path.includes('/samples/'),
    }),
    commit: broker.inject({
      kind: 'late',
      when: ({ apiKey, commits }) => apiKey === KAFKA_API.endTxn && commits,
    }),
  };
}

function letGo(): void {
  proxies.clear();
  for (const proxy of kafka.proxies) proxy.clear();
}

async function frozenInWork(zombie: ServiceProcess): Promise<void> {
  const [zurich, moscow] = await keys();
  await publisher.settled();
  const { put, commit } = holdWork();
  await publisher.publish([inZurich(zurich), inMoscow(moscow)]);
  await Promise.all([put.met, commit.met]);
  zombie.signal('SIGSTOP');
}

test('a router frozen beyond its session timeout, with a put and a commit in flight, settles nothing more and creates no second object, though both arrive after its successor settled', async () => {
  // Its successor does not use the proxies, so the held requests are the zombie's.
  const viaProxies = { RESIDENCY_KAFKA_BROKERS: kafka.brokers.join(','), ...proxies.env };
  const [, zombie] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('router', viaProxies),
  ]);
  await frozenInWork(zombie);
  const successor = await deployment.start('router');
  await publisher.publish([inZurich('a'), inMoscow('b'), inZurich('c'), inMoscow('d')]);
  await publisher.settled();
  letGo();
  await sleep(500);
  zombie.signal('SIGCONT');
  await publisher.publish([inZurich('a'), inMoscow('b'), inZurich('c'), inMoscow('d')]);
  await publisher.settled();
  // It is an ordinary member again, and may take partitions over.
  expect(await successor.stop(), successor.output).toBe(0);
  await publisher.publish([inZurich('a'), inMoscow('b'), inZurich('c'), inMoscow('d')]);
  await publisher.settled();
  expect(zombie.running, zombie.output).toBe(true);
  expect(await judgeDeployment(deployment, publisher.expected)).toEqual([]);
});
