import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack, sharedKafka, sharedRedis } from '../../stack/index.ts';
import type { OwnStack, TestSite } from '../../stack/index.ts';
import { behindProxies } from './behind-proxies.ts';
import type { BehindProxies } from './behind-proxies.ts';
import { judgeDeployment } from './judge-deployment.ts';
import { Publisher } from './publisher.ts';
import type { Sample } from './publisher.ts';
import { waitingFor } from './waiting-for.ts';

/**
 * The length of the outage; `RESIDENCY_TEST_SITE_AWAY_MS` allows one that outlasts every timeout.
 */
const AWAY_MS = Number(process.env['RESIDENCY_TEST_SITE_AWAY_MS'] ?? 10_000);
/**
 * A site that refuses: its proxy leads to another server with another secret. The others are
 * reached directly.
 */
const REFUSING = 'zrh-1';

let own: OwnStack;
let deployment: Deployment;
let proxies: BehindProxies;
let publisher: Publisher;
let router: ServiceProcess;
let consent: string;

beforeAll(async () => {
  own = await openStack({ sites: true });
  // One partition, so that the records before and behind a blocked one are known.
  deployment = await Deployment.open(
    { kafka: await sharedKafka(), sites: own.sites, redis: await sharedRedis() },
    { partitions: 1, env: { RESIDENCY_WATERMARK_MARGIN_MS: '100' } },
  );
  proxies = await behindProxies(deployment, [REFUSING]);
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
  [, router] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('router', proxies.env),
  ]);
});

afterAll(async () => {
  await deployment.close();
  await proxies.close();
  await own.close();
});

interface Absence {
  readonly site: TestSite;
  readonly how: string;
  readonly code: string;
  readonly forMs: number;
  readonly goes: () => Promise<void>;
  readonly returns: () => Promise<void>;
}

const portOf = (site: TestSite): number => Number(new URL(own.sites[site].endpoint).port);
const leadTo = (site: TestSite): void => {
  proxies.sites[REFUSING].target = portOf(site);
  proxies.sites[REFUSING].reset();
};
const moveBucket = async (site: TestSite, from: string, to: string): Promise<void> => {
  await rename(
    join(own.folder, site, `${deployment.buckets[site]}${from}`),
    join(own.folder, site, `${deployment.buckets[site]}${to}`),
  );
};

const absences: readonly Absence[] = [
  {
    site: 'zrh-1',
    how: 'is down',
    code: 'SITE_UNREACHABLE',
    forMs: AWAY_MS,
    goes: () => own.servers.sites['zrh-1'].kill(),
    returns: () => own.servers.sites['zrh-1'].start(),
  },
  {
    site: 'zrh-1',
    how: 'answers 403',
    code: 'SITE_REFUSED',
    forMs: 1_000,
    goes: async () => {
      leadTo('mow-1');
    },
    returns: async () => {
      leadTo(REFUSING);
    },
  },
  {
    site: 'mow-1',
    how: 'answers 404, for its bucket is gone',
    code: 'SITE_MISSING',
    forMs: 1_000,
    goes: () => moveBucket('mow-1', '', '.away'),
    returns: () => moveBucket('mow-1', '.away', ''),
  },
];

const inZurich = (): Sample => ({ country: 'CH', consent, becomes: 'stored zurich' });
const inMoscow = (): Sample => ({ country: 'RU', consent, becomes: 'stored moscow' });

test.each(absences)(
  '$site $how: the records before its own settle, nothing is lost or skipped, and routing continues when it returns',
  async ({ site, how, code, forMs, goes, returns }) => {
    const [there, away] = site.startsWith('zrh') ? [inMoscow, inZurich] : [inZurich, inMoscow];
    await goes();
    const positions = await publisher.publish([there(), there(), away(), there(), away(), there()]);
    await publisher.settledUpTo(positions.slice(0, 2));
    await waitingFor(router, code);
    await sleep(forMs);
    await waitingFor(router, code);
    expect([...(await deployment.log.committed())]).toEqual([[0, positions[2]?.offset]]);
    await returns();
    const returned = performance.now();
    await publisher.settled();
    console.log(
      `${site} ${how}: settled ${((performance.now() - returned) / 1_000).toFixed(1)} s after its return`,
    );
    await router.ready();
  },
  180_000,
);

test('after all faults each record has one outcome, and the sites agree with the audit log', async () => {
  expect(await judgeDeployment(deployment, publisher.expected)).toEqual([]);
});
