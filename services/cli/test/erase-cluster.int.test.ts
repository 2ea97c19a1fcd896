import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS, objectKey } from '@residency/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { sharedStack } from '../../../test/stack/index.ts';
import { signedRequest } from '../../../test/stack/signed-request.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

const REASON = ['--reason', 'request 4711'];

function startService(cluster: TestCluster, name: string): void {
  const service = cluster.folder.spawn(['service', name, '--config', 'cluster.env'], {
    RESIDENCY_HTTP_PORT: '0',
    RESIDENCY_CUSTODIAN_REGION: 'zurich',
    RESIDENCY_CUSTODIAN_INTERVAL_MS: '100',
  });
  const ended = finished(service);
  onTestFinished(async () => {
    service.kill('SIGTERM');
    await ended;
  });
}

async function objectIn(
  { sites }: TestCluster,
  site: 'zrh-1' | 'zrh-2',
  key: string,
): Promise<string> {
  const endpoint = (await sharedStack()).sites[site];
  const bucket = sites.find((one) => one.site === site)?.bucket ?? '';
  const { body } = await signedRequest({ method: 'GET', path: `/${bucket}/${key}`, ...endpoint });
  return body.toString('latin1');
}

it("a subject's samples are erased in every bucket, and the link gets a tombstone", async () => {
  const cluster = await preparedCluster();
  for (const name of ['consent-projector', 'router']) startService(cluster, name);
  await cluster.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'CANARY-S');
  for (const name of ['a', 'b']) {
    await writeFile(join(cluster.folder.path, name), `the sample ${name}`);
    const args = ['--country', 'CH', '--consent', 'consent-0001', '--source', 'urn:test'];
    await cluster.json(0, 'publish', name, ...args);
  }
  const listed = () => cluster.json(0, 'sample', 'list', '--region', 'zurich');
  await expect.poll(async () => (await listed()).length, { timeout: 60_000 }).toBe(2);
  const submissions = (await listed()).map(({ submission }) => String(submission));
  const args = ['--subject', 'CANARY-S', ...REASON];
  expect((await cluster.run('erase', ...args)).err).toContain('CONSENT_NOT_WITHDRAWN');
  await cluster.json(0, 'consent', 'withdraw', '--consent', 'consent-0001');
  await expect
    .poll(async () => (await cluster.run('consent', 'show', '--consent', 'consent-0001')).out)
    .not.toContain('still given');

  const plan = await cluster.json(0, 'erase', ...args);
  expect(plan).toEqual([
    expect.objectContaining({ region: 'zurich', stored: 2, copies: { 'zrh-1': 2, 'zrh-2': 2 } }),
    {
      digest: expect.any(String),
      stored: 2,
      // A week, and one more until Kafka closes the segment.
      intakeUntil: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  ]);
  const until = Date.parse(String(plan.at(-1)?.['intakeUntil']));
  expect((until - Date.now()) / 86_400_000).toBeCloseTo(14, 0);
  const placing = ['hold', 'place', '--submission', submissions[0] ?? '', ...REASON];
  const [hold] = await cluster.json(0, ...placing);
  startService(cluster, 'custodian');
  const yes = ['erase', ...args, '--yes', String(plan.at(-1)?.['digest'])];
  const [order, done] = await cluster.json(1, ...yes);
  expect(done).toEqual({ erased: 1, held: 1 });
  const links = async () =>
    await Array.fromAsync((await cluster.log()).read(TOPICS.subjects, { until: 'end' }));
  expect((await links()).map(({ value }) => value === null)).toEqual([false]);
  await cluster.json(0, 'hold', 'lift', String(hold?.['hold']), '--reason', 'over');
  expect(await cluster.json(0, ...yes)).toEqual([{ erased: 2, held: 0 }]);
  for (const submission of submissions)
    for (const site of ['zrh-1', 'zrh-2'] as const)
      expect(await objectIn(cluster, site, objectKey(submission))).toBe(
        `{"erased":"${String(order?.['order'])}","submission":"${submission}"}\n`,
      );
  expect((await links()).map(({ key, value }) => [key?.toString(), value === null])).toEqual([
    ['consent-0001', false],
    ['consent-0001', true],
  ]);
  expect((await cluster.run('erase', ...args)).err).toContain('SUBJECT_UNKNOWN');
  expect(await cluster.json(0, 'audit', 'erasures')).toEqual([
    expect.objectContaining({ region: 'zurich', stored: 2, erased: 2, waiting: 0, held: 0 }),
  ]);
  for (const topic of [TOPICS.control, TOPICS.audit])
    for await (const { value } of (await cluster.log()).read(topic, { until: 'end' })) {
      const event = JSON.parse(String(value)) as { readonly data_base64?: string };
      const data = Buffer.from(event.data_base64 ?? '', 'base64').toString();
      expect(`${String(value)} ${data}`).not.toContain('CANARY');
    }
});
