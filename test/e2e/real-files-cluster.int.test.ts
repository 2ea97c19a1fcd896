import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { consentCloudEvent, consentEntry, objectKey, submissionId } from '@residency/contracts';
import { PemUnwrapper, openSealed } from '@residency/sealing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Deployment } from '../running-deployment/deployment.ts';
import { sharedStack, signedRequest } from '../stack/index.ts';
import type { TestSite } from '../stack/index.ts';
import { sendBinary, sendStructured } from './kcat-publisher.ts';
import type { Foreign } from './kcat-publisher.ts';
import { headOf, realFiles, types } from './real-files.ts';
import { inTemporaryFolder, jsonLines } from './residency.ts';
import { SALT } from '@residency/testkit';

const COUNTRIES = [
  'CH',
  'DE',
  'FR',
  'GB',
  'XK',
  'CY',
  'US',
  'CA',
  'PR',
  'JP',
  'AU',
  'IN',
  'VN',
  'BN',
  'RU',
  'BR',
  'TR',
  'IL',
  'CN',
  'HK',
  'TW',
  'ZA',
  'KE',
  'AR',
];
const CONSENT = 'real-files-02';
const PARALLEL = 4;

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.open(await sharedStack(), { partitions: 2 });
});
afterAll(() => deployment.close());

it(
  '200 real files that kcat published, in both content modes, arrive in the right region, and each opens again byte for byte',
  { timeout: 900_000 },
  async () => {
    await inTemporaryFolder(async (folder) => {
      const offered = await offer(folder);
      await Promise.all([deployment.start('consent-projector'), deployment.start('router')]);
      await deployment.log.append([
        consentEntry(
          consentCloudEvent(
            {
              kind: 'granted',
              consentId: CONSENT,
              purposes: ['threat-sample-sharing'],
              termsVersion: '1',
            },
            { id: 'grant', source: 'urn:test' },
          ),
          SALT,
        ),
      ]);
      const target = {
        brokers: deployment.stack.kafka.brokers,
        topic: `${deployment.kafka.topicPrefix}threat.samples`,
        folder,
      };
      await eachOf(offered, (foreign, index) =>
        index % 2 === 0 ? sendBinary(foreign, target) : sendStructured(foreign, target),
      );
      await settled(offered.length);

      const reconciled = await deployment.residency('reconcile', '--open');
      expect(reconciled.code, reconciled.stdout + reconciled.stderr).toBe(0);
      const events = jsonLines((await deployment.residency('audit', 'list', '--json')).stdout);
      expect(events).toHaveLength(offered.length);
      expect(new Set(events.map(({ type }) => type))).toEqual(
        new Set(['residency.sample.stored.v1']),
      );
      const byId = new Map(
        offered.map((one) => [submissionId({ source: 'urn:example:telemetry', id: one.id }), one]),
      );
      await eachOf(events, async ({ data }) => {
        const {
          submission,
          decision: { region },
        } = data as { submission: string; decision: { region: string } };
        const original = await readFile(byId.get(submission)?.path ?? '');
        for (const site of region === 'zurich'
          ? (['zrh-1', 'zrh-2'] as const)
          : (['mow-1'] as const))
          expect(original.equals(await opened(site, region, submission)), submission).toBe(true);
      });
    });
  },
);

/**
 * 200 real files of many types (`real-files.int.test.ts` takes 1,000), two as large as allowed, two
 * of a byte, each under its own name.
 */
async function offer(folder: string): Promise<readonly Foreign[]> {
  const files = await realFiles(200);
  expect(files.length).toBe(200);
  expect(types(files).size).toBeGreaterThanOrEqual(10);
  await mkdir(join(folder, 'in'));
  const offered = files.map(({ path: from }, index) => ({
    from,
    id: `file-${index}`,
    country: COUNTRIES[index % COUNTRIES.length] ?? '',
    consent: CONSENT,
    path: join(folder, 'in', `file-${index}`),
  }));
  for (const { from, path } of offered) await copyFile(from, path);
  const extremes = [
    await headOf(process.execPath, 16 * 1024 * 1024),
    await headOf(process.execPath, 16 * 1024 * 1024 - 1),
    Buffer.from('x'),
    Buffer.from('y'),
  ];
  const made = extremes.map((_, index) => ({
    id: `extreme-${index}`,
    country: index % 2 === 0 ? 'CH' : 'RU',
    consent: CONSENT,
    path: join(folder, 'in', `extreme-${index}`),
  }));
  for (const [index, { path }] of made.entries()) await writeFile(path, extremes[index] ?? '');
  return [...offered, ...made];
}

async function settled(count: number): Promise<void> {
  for (;;) {
    const lag = await deployment.log.lag();
    if (
      [...lag.values()].every((left) => left === 0n) &&
      [...(await deployment.log.ends('threat.samples')).values()].reduce(
        (sum, end) => sum + end,
        0n,
      ) === BigInt(count)
    )
      return;
    await new Promise((resolve) => {
      setTimeout(resolve, 250);
    });
  }
}

async function opened(site: TestSite, region: string, submission: string): Promise<Buffer> {
  const { status, body } = await signedRequest({
    method: 'GET',
    path: `/${deployment.buckets[site]}/${objectKey(submission)}`,
    ...deployment.stack.sites[site],
  });
  expect(status).toBe(200);
  return (
    await openSealed(
      body,
      region,
      new PemUnwrapper(new KeyDirectory(join(deployment.folder, 'keys')), region),
    )
  ).sample;
}

async function eachOf<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const [index, item] of queue) await work(item, index);
    }),
  );
}
