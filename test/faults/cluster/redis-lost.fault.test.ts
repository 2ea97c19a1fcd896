import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack, sharedKafka, sharedSites } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';
import { judgeDeployment, judgeLogs } from './judge-deployment.ts';
import { Publisher } from './publisher.ts';
import { resp } from './resp.ts';
import { waitingFor } from './waiting-for.ts';

let own: OwnStack;
let deployment: Deployment;
let publisher: Publisher;
let router: ServiceProcess;
let projector: ServiceProcess;
/** A consent that is given once and never withdrawn. */
let kept: string;

beforeAll(async () => {
  own = await openStack({ redis: true });
  deployment = await Deployment.open(
    { kafka: await sharedKafka(), sites: await sharedSites(), redis: own.redis },
    { env: { RESIDENCY_WATERMARK_MARGIN_MS: '100' } },
  );
  publisher = new Publisher(deployment);
  kept = await publisher.grant();
  [projector, router] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('router'),
  ]);
});

afterAll(async () => {
  await deployment.close();
  await own.close();
});

const samples = (consent: string, becomes: string) =>
  ['CH', 'RU', 'JP', 'BR'].map((country) => ({
    country,
    consent,
    becomes:
      becomes === 'stored'
        ? `stored ${country === 'CH' || country === 'JP' ? 'zurich' : 'moscow'}`
        : becomes,
  }));

/**
 * Publishes under the kept consent during `work`, so that the routers read the view all the time.
 */
async function inFullRun(work: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const publishing = (async () => {
    for (; !over.signal.aborted; await sleep(200)) await publisher.publish(samples(kept, 'stored'));
  })();
  try {
    await work();
  } finally {
    over.abort();
    await publishing;
  }
}

test('if Redis is stopped, routing waits, names Redis, and continues once it is back', async () => {
  await publisher.publish(samples(kept, 'stored'));
  await publisher.settled();
  await own.servers.redis.stop();
  const positions = await publisher.publish(samples(kept, 'stored'));
  await Promise.all([
    waitingFor(router, 'REDIS_UNREACHABLE'),
    waitingFor(projector, 'REDIS_UNREACHABLE'),
  ]);
  const committed = await deployment.log.committed();
  expect(
    positions.filter(({ partition, offset }) => (committed.get(partition) ?? 0n) > offset),
  ).toEqual([]);
  await own.servers.redis.start();
  const returned = performance.now();
  await publisher.settled();
  console.log(
    `Redis: settled ${((performance.now() - returned) / 1_000).toFixed(1)} s after its return`,
  );
  await Promise.all([router.ready(), projector.ready()]);
});

/** A step of Redis itself, as a command on one line. */
const script = (lua: string): string => `EVAL "${lua} return redis.status_reply('OK')" 0`;

test.each([
  {
    what: 'is emptied',
    lose: async () => async () => {
      await resp(own.redis.url, 'FLUSHALL');
    },
  },
  {
    what: 'goes back to an older copy of itself, and no connection is lost',
    lose: async () => {
      await resp(
        own.redis.url,
        script(
          "for _, key in ipairs(redis.call('KEYS', '{*')) do redis.call('SET', 'copy-of-' .. key, redis.call('GET', key)) end",
        ),
      );
      return async () => {
        await resp(
          own.redis.url,
          script(
            "for _, key in ipairs(redis.call('KEYS', '{*')) do redis.call('DEL', key) end for _, key in ipairs(redis.call('KEYS', 'copy-of-*')) do redis.call('SET', string.sub(key, 9), redis.call('GET', key)) end",
          ),
        );
      };
    },
  },
  {
    what: 'is killed and begins anew with an older copy of itself',
    lose: async () => {
      const copy = await own.servers.redis.copyData();
      return async () => {
        await own.servers.redis.replaceData(copy);
      };
    },
  },
])(
  'Redis $what right after a consent was withdrawn, in full run: nothing is stored under it any more',
  async ({ lose }) => {
    await inFullRun(async () => {
      for (const seen of [false, true]) {
        const consent = await publisher.grant();
        await publisher.settledUpTo(await publisher.publish(samples(consent, 'stored')));
        // From here on the view holds the consent as given.
        const loseIt = await lose();
        await publisher.publish(samples(consent, 'stored'));
        await publisher.withdraw(consent);
        const refused = await publisher.publish(samples(consent, 'refused CONSENT_WITHDRAWN'));
        // Redis is emptied before, and again after, the view may have the withdrawal.
        if (seen) await publisher.settledUpTo(refused);
        await loseIt();
        await publisher.settledUpTo([
          ...refused,
          ...(await publisher.publish(samples(consent, 'refused CONSENT_WITHDRAWN'))),
        ]);
      }
    });
    await publisher.settled();
    expect(await judgeLogs(deployment, publisher.expected)).toEqual([]);
  },
  120_000,
);

test('if Redis is emptied while no projector runs, routing waits for the view and continues once it is rebuilt', async () => {
  expect(await projector.stop()).toBe(0);
  const consent = await publisher.grant();
  await publisher.withdraw(consent);
  await resp(own.redis.url, 'FLUSHALL');
  await publisher.publish([
    ...samples(consent, 'refused CONSENT_WITHDRAWN'),
    ...samples(kept, 'stored'),
  ]);
  await waitingFor(router, 'CONSENT_VIEW_EMPTY');
  projector = await deployment.start('consent-projector');
  await publisher.settled();
  await router.ready();
  expect(await judgeLogs(deployment, publisher.expected)).toEqual([]);
});

test('router and projector refuse to start with a Redis that evicts', async () => {
  await resp(own.redis.url, 'CONFIG SET maxmemory-policy allkeys-lru');
  const services = await Promise.all([
    deployment.launch('router'),
    deployment.launch('consent-projector'),
  ]);
  expect(await Promise.all(services.map((service) => service.exited()))).toEqual([1, 1]);
  for (const { output } of services)
    expect(output).toMatch(
      /EVICTION_POLICY.*Expected maxmemory-policy noeviction, found allkeys-lru/,
    );
  await resp(own.redis.url, 'CONFIG SET maxmemory-policy noeviction');
});

test('after all faults each record has one outcome, and the sites agree with the audit log', async () => {
  expect(await judgeDeployment(deployment, publisher.expected)).toEqual([]);
});
