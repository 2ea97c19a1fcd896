import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { signedRequest } from '../../../test/stack/signed-request.ts';
import { sharedStack } from '../../../test/stack/index.ts';
import { routeAll } from './cluster-router.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

const SAMPLES = 5;
type Site = 'zrh-1' | 'zrh-2';

/** Stored samples in both sites of Zurich. */
async function storedSamples(): Promise<TestCluster> {
  const cluster = await preparedCluster();
  await cluster.configure(
    Object.fromEntries(
      Object.entries((await sharedStack()).sites).flatMap(([site, endpoint]) => {
        const prefix = `RESIDENCY_SITE_${site.toUpperCase().replace('-', '_')}_CUSTODIAN_`;
        return [
          [`${prefix}ACCESS_KEY_ID`, endpoint.accessKeyId],
          [`${prefix}SECRET_ACCESS_KEY`, endpoint.secretAccessKey],
        ];
      }),
    ),
  );
  for (let n = 0; n < SAMPLES; n += 1) {
    const name = `sample-${n}`;
    await writeFile(join(cluster.folder.path, name), `the sample ${n}`);
    const args = ['--country', 'CH', '--consent', 'consent-0001', '--source', 'urn:test'];
    await cluster.json(0, 'publish', name, ...args);
  }
  await routeAll(await cluster.log(), cluster.sites, join(cluster.folder.path, 'keys'));
  return cluster;
}

async function request(
  { sites }: TestCluster,
  site: Site,
  method: string,
  key = '',
): Promise<Buffer> {
  const endpoint = (await sharedStack()).sites[site];
  const bucket = sites.find((one) => one.site === site)?.bucket ?? '';
  const { body } = await signedRequest({ method, path: `/${bucket}${key}`, ...endpoint });
  return body;
}

async function keysOf(cluster: TestCluster, site: Site): Promise<readonly string[]> {
  const list = (await request(cluster, site, 'GET', '?list-type=2')).toString('utf8');
  return [...list.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = '']) => key).toSorted();
}

const samplesIn = (keys: readonly string[]) => keys.filter((key) => key.startsWith('samples/'));

/** The site's bucket, as it was lost and made anew: empty. */
async function empty(cluster: TestCluster, site: Site): Promise<void> {
  for (const key of await keysOf(cluster, site)) await request(cluster, site, 'DELETE', `/${key}`);
  expect(await keysOf(cluster, site)).toEqual([]);
}

async function startCustodian(cluster: TestCluster): Promise<void> {
  const custodian = cluster.folder.spawn(['service', 'custodian', '--config', 'cluster.env'], {
    RESIDENCY_HTTP_PORT: '0',
    RESIDENCY_CUSTODIAN_REGION: 'zurich',
    RESIDENCY_CUSTODIAN_INTERVAL_MS: '100',
  });
  const ended = finished(custodian);
  onTestFinished(async () => {
    custodian.kill('SIGTERM');
    await ended;
  });
}

it('a site that is out of service is asked by its name only', async () => {
  const cluster = await storedSamples();
  expect((await cluster.run('site', 'out', 'zrh-2', '--reason', 'a drill')).code).toBe(0);
  for (const role of ['router', 'custodian']) {
    const states = (await cluster.json(0, 'site', 'check', '--all', '--role', role)).map(
      ({ site, state }) => `${String(site)} ${String(state)}`,
    );
    expect(states.find((one) => one.startsWith('zrh-2'))).toBe('zrh-2 out of service, not asked');
    expect(states.filter((one) => one.includes('verified'))).toHaveLength(2);
  }
  expect(await cluster.json(0, 'site', 'check', 'zrh-2')).toMatchObject([{ state: 'verified' }]);
});

it('buckets that were lost and made anew get every copy again, the first site while paused', async () => {
  const cluster = await storedSamples();
  const checks = await cluster.json(0, 'site', 'check', '--all', '--role', 'custodian');
  expect(checks.map(({ state }) => state)).toEqual(
    Array.from({ length: 3 }, () => 'verified as the custodian'),
  );
  const whole = samplesIn(await keysOf(cluster, 'zrh-1'));
  expect(whole).toHaveLength(SAMPLES);
  expect(await cluster.json(0, 'site', 'backfill', 'zrh-2')).toEqual([
    { site: 'zrh-2', region: 'zurich', has: SAMPLES, owed: 0, inForce: true },
  ]);
  for (const site of ['zrh-2', 'zrh-1'] as const) {
    await empty(cluster, site);
    if (site === 'zrh-1') {
      expect((await cluster.run('site', 'rebuild', site)).code).toBe(2);
      expect(await keysOf(cluster, site)).toEqual([]);
      await cluster.run('pause', '--reason', 'zrh-1 is rebuilt');
    }
    const waiting = cluster.run('site', 'rebuild', site, '--wait', '--json');
    if (site === 'zrh-2') await startCustodian(cluster);
    const { code, out, err } = await waiting;
    expect([code, JSON.parse(out.trim().split('\n').at(-1) ?? '')], err).toEqual([
      0,
      expect.objectContaining({ site, state: 'closed', checked: SAMPLES, copied: SAMPLES }),
    ]);
    expect(samplesIn(await keysOf(cluster, site))).toEqual(whole);
  }
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

it('a retired site is asked nothing more: its bucket may go', async () => {
  const cluster = await storedSamples();
  const retire = ['site', 'retire', 'zrh-2', '--reason', 'the lease ended'] as const;
  expect(await cluster.json(0, ...retire)).toEqual([
    { site: 'zrh-2', region: 'zurich', state: 'retired', samples: SAMPLES },
  ]);
  await empty(cluster, 'zrh-2');
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
  expect((await cluster.run('doctor')).out).toMatch(/zrh-2 .*out of service/);
  // Without a projector, `status` and `doctor` end with 1.
  expect(JSON.parse((await cluster.run('status', '--json')).out)).toMatchObject({
    control: { sitesOut: [], sitesRetired: ['zrh-2'] },
  });
});
