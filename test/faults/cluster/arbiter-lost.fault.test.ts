import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import { eventually } from '@residency/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack, sharedKafka, sharedRedis } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';
import { judgeDeployment } from './judge-deployment.ts';
import { Publisher } from './publisher.ts';
import type { Sample } from './publisher.ts';
import { waitingFor } from './waiting-for.ts';

let own: OwnStack;
let deployment: Deployment;
let publisher: Publisher;
let routers: readonly ServiceProcess[];
let consent: string;
let custodian: ServiceProcess;
/** Of the custodian's register, which the command reads. */
let state: string;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'residency-custodian-'));
  own = await openStack({ sites: true });
  deployment = await Deployment.open(
    { kafka: await sharedKafka(), sites: own.sites, redis: await sharedRedis() },
    {
      partitions: 2,
      env: {
        RESIDENCY_WATERMARK_MARGIN_MS: '100',
        RESIDENCY_SESSION_TIMEOUT_MS: '10000',
        RESIDENCY_CUSTODIAN_STATE_DIR: state,
      },
    },
  );
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
  const [, first, ...others] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('custodian', CUSTODY),
    deployment.start('router'),
    deployment.start('router'),
  ]);
  custodian = first;
  routers = others;
});

afterAll(async () => {
  await deployment.close();
  await own.close();
  await rm(state, { recursive: true });
});

const CUSTODY = { RESIDENCY_CUSTODIAN_REGION: 'zurich' };

/** In both partitions, each identity twice: once for each partition's record. */
function racing(identities: number): readonly Sample[] {
  return Array.from({ length: identities }, () => randomUUID()).flatMap((id) =>
    ['CH', 'RU'].map((key) => ({ country: 'CH', consent, id, key, becomes: '' })),
  );
}

/** Resolves once a round of the custodian ended. */
async function roundOf({ url }: ServiceProcess): Promise<void> {
  const last = async (): Promise<string | undefined> =>
    /^residency_custodian_round_timestamp_seconds\S* (\S+)$/m.exec(
      await (await fetch(`${url}/metrics`)).text(),
    )?.[1];
  const before = await last();
  await eventually(async () => {
    await sleep(100);
    return (await last()) === before ? undefined : true;
  });
}

async function storedIdentities(): Promise<readonly string[]> {
  const records = await Array.fromAsync(deployment.log.read(TOPICS.audit, { until: 'end' }));
  return records
    .map(({ value }) => decodeAuditEvent(value ?? Buffer.alloc(0)))
    .flatMap((event) => (event.outcome === 'stored' ? [event.data.submission] : []));
}

test('a destroyed arbiter is taken out by one command: samples flow, and each identity is stored once', async () => {
  await publisher.publish(racing(20));
  await publisher.settled();
  // What began before may have read less. Its register is saved at its end.
  await roundOf(custodian);
  await roundOf(custodian);
  custodian.signal('SIGTERM');
  await custodian.exited();
  await deployment.start('custodian', CUSTODY);
  const [first, second] = routers;
  if (first === undefined || second === undefined) throw new Error('no routers');
  await publisher.publish(racing(100));
  // Frozen in the middle of what it does; it wakes after the change.
  first.signal('SIGSTOP');
  await own.servers.sites['zrh-1'].kill();
  await publisher.publish(racing(20));
  await waitingFor(second, 'SITE_UNREACHABLE');
  const { code, stdout, stderr } = await deployment.residency(
    'site',
    'out',
    'zrh-1',
    '--reason',
    'it burned',
    '--json',
  );
  expect([code, stderr]).toEqual([0, '']);
  const out = JSON.parse(stdout) as {
    readonly serving: unknown;
    readonly auditRecordsRead: number;
  };
  expect(out.serving).toEqual(['zrh-2']);
  // The first 40 records were in the register.
  const settled = await Array.fromAsync(deployment.log.read(TOPICS.audit, { until: 'end' }));
  expect(out.auditRecordsRead).toBeLessThanOrEqual(settled.length - 40);
  first.signal('SIGCONT');
  await publisher.publish(racing(20));
  await publisher.settled();
  expect((await storedIdentities()).length).toBe(160);
  expect(new Set(await storedIdentities()).size).toBe(160);
});

test('it comes back empty, as a later site, gets every copy, and nothing is stored twice', async () => {
  await rm(join(own.folder, 'zrh-1', deployment.buckets['zrh-1'], 'samples'), { recursive: true });
  await own.servers.sites['zrh-1'].start();
  const back = await deployment.residency('site', 'in', 'zrh-1');
  expect([back.code, back.stderr]).toEqual([0, '']);
  await publisher.publish(racing(20));
  await publisher.settled();
  await eventually(async () => {
    await sleep(500);
    const { stdout } = await deployment.residency('site', 'repairs', '--json');
    return stdout.includes('"closed"') ? true : undefined;
  });
  expect(new Set(await storedIdentities()).size).toBe(180);
  expect((await storedIdentities()).length).toBe(180);
});

test('after all each record has one outcome, and the sites agree with the logs', async () => {
  expect(
    await judgeDeployment(
      deployment,
      new Map([...publisher.expected.keys()].map((position) => [position, undefined])),
    ),
  ).toEqual([]);
});
