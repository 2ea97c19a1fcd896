import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTopics, topicPlan } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { createLogger } from '@residency/telemetry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import { sharedStack } from '../../stack/index.ts';

let deployment: Deployment;
/** Without markers. */
let bare: Deployment;

beforeAll(async () => {
  const stack = await sharedStack();
  [deployment, bare] = await Promise.all([
    Deployment.open(stack),
    Deployment.open(stack, { bare: true }),
  ]);
});

afterAll(async () => {
  await Promise.all([deployment.close(), bare.close()]);
});

/** The exit code and the output of a service. */
async function end(
  of: Deployment,
  env: Readonly<Record<string, string>> = {},
  service: 'router' | 'custodian' = 'router',
): Promise<readonly [code: number | string, said: string]> {
  const launched = await of.launch(service, env);
  return [await launched.exited(), launched.output];
}

/** `zrh-1` and `zrh-2` with exchanged buckets. */
async function swapped(): Promise<Record<string, string>> {
  const { sites } = JSON.parse(await readFile(join(deployment.folder, 'regions.json'), 'utf8')) as {
    sites: Record<string, object>;
  };
  const file = join(deployment.folder, 'regions-swapped.json');
  await writeFile(
    file,
    JSON.stringify({ sites: { ...sites, 'zrh-1': sites['zrh-2'], 'zrh-2': sites['zrh-1'] } }),
  );
  const credentials = ['', 'CUSTODIAN_']
    .flatMap((role) => [`${role}ACCESS_KEY_ID`, `${role}SECRET_ACCESS_KEY`])
    .flatMap((name) =>
      [
        ['1', '2'],
        ['2', '1'],
      ].map(([to, from]) => [
        `RESIDENCY_SITE_ZRH_${to}_${name}`,
        deployment.env[`RESIDENCY_SITE_ZRH_${from}_${name}`] ?? '',
      ]),
    );
  return {
    RESIDENCY_REGIONS_FILE: file,
    ...(Object.fromEntries(credentials) as Record<string, string>),
  };
}

test('a router configured with the wrong cluster, topics or bucket exits with 1 and reports what it expected and found', async () => {
  const topics = topicPlan({ partitions: 2, replicationFactor: 1 }).map((planned) =>
    planned.topic === TOPICS.audit
      ? {
          ...planned,
          settings: planned.settings.map((setting) =>
            setting.name === 'retention.ms' ? { ...setting, value: '3600000' } : setting,
          ),
        }
      : planned,
  );
  await createTopics(bare.kafka, createLogger({ level: 'silent' }), topics);
  expect(
    await Promise.all([
      end(deployment, { RESIDENCY_KAFKA_CLUSTER_ID: 'another-cluster' }),
      end(bare),
      end(deployment, await swapped()),
    ]),
  ).toEqual([
    [
      1,
      expect.stringMatching(
        new RegExp(`LOG_MISMATCH.*another-cluster.*${deployment.kafka.clusterId}`),
      ),
    ],
    [
      1,
      expect.stringMatching(
        new RegExp(
          `TOPIC_SETTINGS.*${bare.kafka.topicPrefix}residency\\.audit: retention\\.ms 3600000, expected -1`,
        ),
      ),
    ],
    [
      1,
      expect.stringMatching(
        /SITE_MARKER_MISMATCH.*name site zrh-1 in region zurich, found site zrh-2/,
      ),
    ],
  ]);
});

test('a custodian configured with a wrong bucket exits with 1 at its start, although no site owes anything', async () => {
  const zurich = { ...(await swapped()), RESIDENCY_CUSTODIAN_REGION: 'zurich' };
  expect(await end(deployment, zurich, 'custodian')).toEqual([
    1,
    expect.stringMatching(/SITE_MARKER_MISMATCH.*name site zrh-[12] in region zurich/),
  ]);
});
