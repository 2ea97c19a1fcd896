import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { createTopics, topicPlan } from '@residency/adapter-kafka';
import { initS3Site } from '@residency/adapter-s3';
import { TOPICS } from '@residency/contracts';
import { generateRegionKey } from '@residency/sealing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Deployment } from '../../../test/running-deployment/deployment.ts';
import type { DeploymentOptions } from '../../../test/running-deployment/deployment.ts';
import { residency } from '../../../test/e2e/residency.ts';
import { createBucket, freePorts, openStack, sharedStack } from '../../../test/stack/index.ts';
import type { Stack } from '../../../test/stack/index.ts';
import { silent } from './cluster.ts';
import { inProcess } from './in-process.ts';

const CANARY = 'canary0canary0canary';
const POLICY = join(import.meta.dirname, '../../../policy/residency-1.json');

interface Told {
  readonly code: number | null;
  /** Of each check of that name: state and text. */
  readonly of: (check: string) => readonly string[];
  readonly all: string;
}

async function deployed(stack: Stack, options: DeploymentOptions = {}): Promise<Deployment> {
  const deployment = await Deployment.open(stack, options);
  onTestFinished(() => deployment.close());
  return deployment;
}

/** With these settings over the deployment's own; `spawned`: by the real launcher. */
async function doctor(
  { folder }: Deployment,
  over: Readonly<Record<string, string>> = {},
  { spawned = false } = {},
): Promise<Told> {
  const own = (await readFile(join(folder, 'residency.env'), 'utf8'))
    .split('\n')
    .filter((line) => !(line.slice(0, line.indexOf('=')) in over));
  await writeFile(
    join(folder, 'doctor.env'),
    [...own, ...Object.entries(over).map(([name, value]) => `${name}=${value}`)].join('\n'),
  );
  const args = ['doctor', '--json', '--config', 'doctor.env'];
  const { code, out, err } = spawned
    ? await residency(folder, ...args).then(({ stdout, stderr, ...rest }) => ({
        ...rest,
        out: stdout,
        err: stderr,
      }))
    : await inProcess(args, { env: process.env, cwd: folder });
  const rows = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);
  return {
    code,
    of: (check) =>
      rows
        .filter((row) => row['check'] === check)
        .map(({ state = '', found = '', next = '' }) => `${state}: ${found} ${next}`),
    all: out + err,
  };
}

async function regionsWith(deployment: Deployment, site: string, place: object): Promise<string> {
  const file = join(deployment.folder, 'other-regions.json');
  const { sites } = JSON.parse(await readFile(join(deployment.folder, 'regions.json'), 'utf8')) as {
    readonly sites: Readonly<Record<string, object>>;
  };
  await writeFile(
    file,
    JSON.stringify({ sites: { ...sites, [site]: { ...sites[site], ...place } } }),
  );
  return file;
}

/** Takes every connection and says nothing, as a server that hangs. */
async function silentServer(): Promise<string> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.once('listening', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('doctor on a deployment that runs', () => {
  it('finds nothing wrong, then each thing that is', async () => {
    const stack = await sharedStack();
    const deployment = await deployed(stack);
    const services = [
      await deployment.start('consent-projector'),
      await deployment.start('router'),
      await deployment.start('auditor'),
    ];
    await writeFile(join(deployment.folder, 'sample'), 'the sample');
    await deployment.residency(
      'consent',
      'grant',
      '--consent',
      'consent-0001',
      '--subject',
      's',
      '--terms-version',
      '1',
    );
    await deployment.residency('publish', 'sample', '--country', 'CH', '--consent', 'consent-0001');
    for (;;) {
      if ([...(await deployment.log.ends(TOPICS.audit)).values()].some((end) => end > 0n)) break;
      await sleep(200);
    }
    const urls = { RESIDENCY_METRICS_URLS: services.map(({ url }) => url).join(',') };

    const healthy = await doctor(deployment, urls);
    expect([healthy.code, healthy.all]).toEqual([0, expect.stringContaining('All is well')]);
    expect(healthy.all).not.toContain('"state":"wrong"');
    expect(healthy.of('private keys')).toEqual([
      expect.stringMatching(/^ok: 2 private keys .*router's folder/),
    ]);
    expect(healthy.of('site mow-1 (reader)')).toHaveLength(1);
    expect(healthy.of('site mow-1 (writer)')).toHaveLength(1);
    expect(healthy.of('site mow-1 (custodian)')).toEqual([expect.stringMatching(/^ok/)]);
    expect(healthy.of('clocks')).toEqual([
      expect.stringMatching(
        /Kafka \(residency\.policy\), Kafka \(threat\.consents\), Redis, store of mow-1, store of zrh-1, store of zrh-2, this machine/,
      ),
    ]);
    expect(healthy.of('append times')).toEqual([expect.stringMatching(/^ok: none is far/)]);
    expect(healthy.of(`service ${new URL(services[0]?.url ?? '').host}`)).toEqual(['ok: ready ']);

    const zurich = stack.sites['zrh-1'];
    const bucket = `${deployment.buckets['zrh-1']}-other`;
    await createBucket(zurich, bucket);
    await initS3Site({
      ...zurich,
      site: 'zrh-2',
      region: 'zurich',
      bucket,
      checksums: 'WHEN_REQUIRED',
      credentials: zurich,
    });
    const keys = new KeyDirectory(join(deployment.folder, 'other-keys'));
    await keys.add('zurich', await generateRegionKey('zurich', 1));
    const [free = 0] = await freePorts(1);
    const wrong = await doctor(deployment, {
      RESIDENCY_REGIONS_FILE: await regionsWith(deployment, 'zrh-1', { bucket }),
      RESIDENCY_KEYS_DIR: join(deployment.folder, 'other-keys'),
      RESIDENCY_METRICS_URLS: `http://127.0.0.1:${free}`,
      RESIDENCY_SITE_MOW_1_SECRET_ACCESS_KEY: CANARY,
      RESIDENCY_SITE_MOW_1_CUSTODIAN_SECRET_ACCESS_KEY: CANARY,
      RESIDENCY_REDIS_USERNAME: 'nobody',
      RESIDENCY_REDIS_PASSWORD: CANARY,
      RESIDENCY_TYPO: CANARY,
    });
    expect(wrong.code).toBe(1);
    expect(wrong.all).not.toContain(CANARY);
    expect(wrong.of('configuration')).toEqual([expect.stringMatching(/^wrong: RESIDENCY_TYPO/)]);
    expect(wrong.of('site zrh-1 (reader)')).toEqual([
      expect.stringMatching(/^wrong: .*found site zrh-2/),
    ]);
    expect(wrong.of('site mow-1 (reader)')).toEqual([expect.stringMatching(/^ok/)]);
    for (const role of ['writer', 'custodian'])
      expect(wrong.of(`site mow-1 (${role})`)).toEqual([
        expect.stringMatching(/^wrong: .*HTTP 403/),
      ]);
    expect(wrong.of('key moscow')).toEqual([expect.stringMatching(/^wrong: none to seal with/)]);
    expect(wrong.of('private keys')).toEqual([expect.stringMatching(/^ok: 1 private key /)]);
    expect(wrong.of('Redis')).toEqual([expect.stringMatching(/^wrong: .*user and password/)]);
    expect(wrong.of('consent view')).toEqual(['unknown: needs Redis ']);
    expect(wrong.of(`service 127.0.0.1:${free}`)).toEqual([
      expect.stringMatching(/^unknown: .*no answer/),
    ]);
    expect(wrong.of('Kafka')).toEqual([expect.stringMatching(/^ok/)]);

    await deployment.residency('pause', '--reason', 'a test');
    expect((await doctor(deployment)).of('control')).toEqual([
      expect.stringMatching(/^wrong: paused since .*: a test .*residency resume/),
    ]);
  });
});

describe('doctor on a deployment that does not', () => {
  it("names the topic's setting and the missing projector, and ends though servers are stopped and hang", async () => {
    const own = await openStack({ brokers: 1, redis: true });
    onTestFinished(() => own.close());
    const { sites } = await sharedStack();
    const deployment = await deployed(
      { kafka: own.kafka, redis: own.redis, sites },
      { bare: true },
    );
    const [, audit] = topicPlan({ partitions: 2, replicationFactor: 1 });
    if (audit === undefined) throw new Error('Expected a plan of the audit topic.');
    await createTopics(deployment.kafka, silent, [{ ...audit, settings: [] }]);
    await deployment.residency('topics', 'create');
    await deployment.residency('site', 'init', '--all');
    expect((await deployment.residency('policy', 'publish', POLICY)).code).toBe(0);

    const bare = await doctor(deployment);
    expect(bare.code).toBe(1);
    expect(bare.of('topics')).toContainEqual(
      expect.stringMatching(/^wrong: .*residency\.audit has /),
    );
    expect(bare.of('ticks of residency.policy')).toEqual([
      expect.stringMatching(/^wrong: no tick .*start one/),
    ]);
    expect(bare.of('consent view')).toEqual([
      expect.stringMatching(/^wrong: .*projector has not run yet/),
    ]);
    expect(bare.of('policy')).toEqual([expect.stringMatching(/^ok: residency\/1 in force/)]);
    expect(bare.of('clocks')).toContainEqual(
      expect.stringMatching(/^unknown: ticks of threat.consents: none/),
    );

    own.servers.brokers[0]?.freeze();
    await own.servers.redis.stop();
    const regions = await regionsWith(deployment, 'zrh-2', { endpoint: await silentServer() });
    const away = await doctor(deployment, { RESIDENCY_REGIONS_FILE: regions }, { spawned: true });
    expect([away.code, away.all]).toEqual([3, expect.stringContaining(' 0 wrong, ')]);
    expect(away.of('Kafka')).toEqual([expect.stringMatching(/^unknown: /)]);
    expect(away.of('Redis')).toEqual([expect.stringMatching(/^unknown: .*ECONNREFUSED/)]);
    for (const check of [
      'topics',
      'policy',
      'keys',
      'ledger',
      'progress',
      'control',
      'ticks of threat.consents',
    ])
      expect(away.of(check)).toEqual([expect.stringMatching(/^unknown: needs Kafka/)]);
    expect(away.of('site zrh-2 (reader)')).toEqual([expect.stringMatching(/^unknown: /)]);
    expect(away.of('site zrh-1 (reader)')).toEqual([expect.stringMatching(/^ok: /)]);
    expect(away.of('configuration')).toEqual([expect.stringMatching(/^ok: /)]);
    own.servers.brokers[0]?.thaw();
  });
});
