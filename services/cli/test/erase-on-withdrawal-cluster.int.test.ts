import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ERASURE_ORDERED, TOPICS, controlEventIn, objectKey } from '@residency/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { sharedStack } from '../../../test/stack/index.ts';
import { signedRequest } from '../../../test/stack/signed-request.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

const CONSENTS = ['consent-0001', 'consent-0002'] as const;

/** A running service, and how to end it. */
function startService(cluster: TestCluster, name: string): () => Promise<string> {
  const service = cluster.folder.spawn(['service', name, '--config', 'cluster.env'], {
    RESIDENCY_HTTP_PORT: '0',
    RESIDENCY_CUSTODIAN_REGION: 'zurich',
    RESIDENCY_CUSTODIAN_INTERVAL_MS: '100',
  });
  const ended = finished(service);
  const stop = async (): Promise<string> => {
    service.kill('SIGTERM');
    const { out, err } = await ended;
    return out + err;
  };
  onTestFinished(async () => {
    await stop();
  });
  return stop;
}

async function objectIn(
  { sites }: TestCluster,
  site: 'zrh-1' | 'zrh-2',
  submission: string,
): Promise<string> {
  const endpoint = (await sharedStack()).sites[site];
  const bucket = sites.find((one) => one.site === site)?.bucket ?? '';
  const path = `/${bucket}/${objectKey(submission)}`;
  const { body } = await signedRequest({ method: 'GET', path, ...endpoint });
  return body.toString('latin1');
}

/** Publishes a sample, and waits until it is stored. */
async function stored(cluster: TestCluster, name: string, consent: string): Promise<string> {
  await writeFile(join(cluster.folder.path, name), `the sample ${name}`);
  const args = ['--country', 'CH', '--consent', consent, '--source', 'urn:test'];
  const [published] = await cluster.json(0, 'publish', name, ...args);
  const submission = String(published?.['submission']);
  await expect
    .poll(async () => (await cluster.run('status', submission)).out, { timeout: 60_000 })
    .toContain('stored');
  return submission;
}

/** What the orders of the control log name, with who ordered. */
async function ordered(cluster: TestCluster): Promise<readonly unknown[]> {
  const orders: unknown[] = [];
  for await (const record of (await cluster.log()).read(TOPICS.control, { until: 'end' })) {
    const event = controlEventIn(record);
    if (event?.type === ERASURE_ORDERED)
      orders.push([
        event.principal,
        event.data.reason,
        event.data.consents?.map(({ consentId }) => consentId),
      ]);
  }
  return orders;
}

it('a withdrawal puts tombstones into both buckets, also one from before it was configured; what is given again stays', async () => {
  const cluster = await preparedCluster();
  const keeping = startService(cluster, 'consent-projector');
  startService(cluster, 'router');
  startService(cluster, 'custodian');
  for (const consent of CONSENTS)
    await cluster.json(0, 'consent', 'grant', '--consent', consent, '--subject', 'CANARY-S');
  const earlier = await stored(cluster, 'a', CONSENTS[0]);
  const running = await stored(cluster, 'b', CONSENTS[1]);
  await cluster.json(0, 'consent', 'withdraw', '--consent', CONSENTS[0]);
  const isGiven = async (consent: string): Promise<boolean> =>
    (await cluster.run('consent', 'show', '--consent', consent)).out.includes('still given');
  await expect.poll(() => isGiven(CONSENTS[0])).toBe(false);
  await keeping();
  expect(await ordered(cluster)).toEqual([]);
  expect((await cluster.run('topics', 'check')).err).not.toContain('residency.control');

  await cluster.configure({ RESIDENCY_ON_WITHDRAWAL: 'erase' });
  expect((await cluster.run('topics', 'check')).err).toContain(
    `the consent projector needs the right to write to ${cluster.kafka.topicPrefix}residency.control`,
  );
  const erasing = startService(cluster, 'consent-projector');
  const isErased = async (submission: string): Promise<boolean> =>
    (
      await Promise.all(
        (['zrh-1', 'zrh-2'] as const).map((site) => objectIn(cluster, site, submission)),
      )
    ).every((object) => object.startsWith('{"erased":"') && object.includes(submission));
  await expect.poll(() => isErased(earlier)).toBe(true);
  expect(await isErased(running)).toBe(false);

  await cluster.json(0, 'consent', 'withdraw', '--consent', CONSENTS[1]);
  await expect.poll(() => isErased(running)).toBe(true);
  await cluster.json(0, 'consent', 'grant', '--consent', CONSENTS[1], '--subject', 'CANARY-S');
  await expect.poll(() => isGiven(CONSENTS[1])).toBe(true);
  const again = await stored(cluster, 'c', CONSENTS[1]);
  await erasing();

  // Another projector finds the orders, and makes one more.
  const said = startService(cluster, 'consent-projector');
  await cluster.json(0, 'consent', 'grant', '--consent', CONSENTS[0], '--subject', 'CANARY-S');
  await expect.poll(() => isGiven(CONSENTS[0])).toBe(true);
  const last = await stored(cluster, 'd', CONSENTS[0]);
  await cluster.json(0, 'consent', 'withdraw', '--consent', CONSENTS[0]);
  await expect.poll(() => isErased(last)).toBe(true);
  expect(await isErased(again)).toBe(false);
  const why = ['withdrawal', 'consent withdrawn'];
  expect(await ordered(cluster)).toEqual([
    [...why, [CONSENTS[0]]],
    [...why, [CONSENTS[1]]],
    [...why, [CONSENTS[0]]],
  ]);
  expect(await said()).not.toMatch(/CANARY|consent-000/);
});
