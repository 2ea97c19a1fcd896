import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectKey } from '@residency/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { sharedStack } from '../../../test/stack/index.ts';
import { signedRequest } from '../../../test/stack/signed-request.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

const REASON = ['--reason', 'both data centres burned'];

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

async function request(
  method: 'DELETE' | 'GET',
  { sites }: TestCluster,
  site: 'zrh-1' | 'zrh-2',
  submission: string,
): Promise<number | undefined> {
  const endpoint = (await sharedStack()).sites[site];
  const bucket = sites.find((one) => one.site === site)?.bucket ?? '';
  const path = `/${bucket}/${objectKey(submission)}`;
  return (await signedRequest({ method, path, ...endpoint })).status;
}

it('samples that no bucket has are given up, others are not, and the identity is stored anew', async () => {
  const cluster = await preparedCluster();
  for (const name of ['consent-projector', 'router', 'custodian']) startService(cluster, name);
  await cluster.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'CANARY-S');
  const publish = async (name: string) => {
    await writeFile(join(cluster.folder.path, name), `the sample ${name}`);
    const args = ['--country', 'CH', '--consent', 'consent-0001', '--source', 'urn:test'];
    await cluster.json(0, 'publish', name, ...args);
  };
  const listed = () => cluster.json(0, 'sample', 'list', '--region', 'zurich');
  const count = async (): Promise<number> => (await listed()).length;
  await publish('a');
  await expect.poll(count, { timeout: 60_000 }).toBe(1);
  await publish('b');
  await expect.poll(count, { timeout: 60_000 }).toBe(2);
  const [a = '', b = ''] = (await listed()).map(({ submission }) => String(submission));
  for (const site of ['zrh-1', 'zrh-2'] as const) {
    await request('DELETE', cluster, site, a);
    expect(await request('GET', cluster, site, a)).toBe(404);
  }
  const args = ['sample', 'give-up', '--submission', a, b, ...REASON];
  const plan = await cluster.json(0, ...args);
  expect(plan).toEqual([
    ...[a, b].map((submission) =>
      expect.objectContaining({ submission, region: 'zurich', state: 'to be given up' }),
    ),
    {
      digest: expect.any(String),
      stored: 2,
      intakeUntil: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  ]);
  const yes = [...args, '--yes', String(plan.at(-1)?.['digest'])];
  const rows = await cluster.json(1, ...yes);
  expect(
    rows.toSorted((one, other) =>
      one['state'] === other['state'] ? 0 : one['state'] === 'lost' ? -1 : 1,
    ),
  ).toEqual([
    expect.objectContaining({ submission: a, state: 'lost' }),
    expect.objectContaining({ submission: b, state: 'refused', code: 'HELD', site: 'zrh-1' }),
    { lost: 1, notLost: 1, claimsEnded: 0 },
  ]);
  expect(await cluster.json(0, 'audit', 'losses')).toHaveLength(2);
  await publish('a');
  await expect.poll(count, { timeout: 60_000 }).toBe(3);
  expect((await listed()).map(({ sites, lost }) => [sites, lost !== undefined])).toEqual([
    [[], true],
    [['zrh-1', 'zrh-2'], false],
    [['zrh-1', 'zrh-2'], false],
  ]);
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0, lost: 1 });
});
