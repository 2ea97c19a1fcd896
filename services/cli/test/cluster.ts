import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaDiagnostics, KafkaLog, KafkaSettings } from '@residency/adapter-kafka';
import type { S3SiteSettings } from '@residency/adapter-s3';
import { onTestFinished } from 'vitest';
import { createBucket, sharedStack } from '../../../test/stack/index.ts';
import { temporaryFolder } from './residency.ts';
import type { Finished } from './in-process.ts';
import type { Folder, Row } from './residency.ts';

export const silent: KafkaDiagnostics = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const REGION_OF = { 'zrh-1': 'zurich', 'zrh-2': 'zurich', 'mow-1': 'moscow' } as const;

/** Settings of one test's own part of the run's real servers, in a folder of its own. */
export interface TestCluster {
  readonly folder: Folder;
  readonly kafka: KafkaSettings;
  run(...args: readonly string[]): Promise<Finished>;
  json(code: number, ...args: readonly string[]): Promise<readonly Row[]>;
  readonly redis: { readonly url: string; readonly keyPrefix: string };
  readonly sites: readonly S3SiteSettings[];
  /** The log itself, for what no command line does. */
  log(): Promise<KafkaLog>;
  /** Writes the settings anew, with these over the others; `undefined` takes one away. */
  configure(over?: Readonly<Record<string, string | undefined>>): Promise<void>;
}

export async function testCluster(): Promise<TestCluster> {
  const [stack, folder] = [await sharedStack(), await temporaryFolder()];
  const name = `cli-${randomBytes(6).toString('hex')}`;
  const sites = Object.fromEntries(
    await Promise.all(
      Object.entries(stack.sites).map(async ([site, endpoint]) => {
        const bucket = `${name}-${site}`;
        await createBucket(endpoint, bucket);
        return [
          site,
          {
            region: REGION_OF[site as keyof typeof REGION_OF],
            bucket,
            endpoint: endpoint.endpoint,
            awsRegion: endpoint.awsRegion,
            pathStyle: endpoint.pathStyle,
          },
        ] as const;
      }),
    ),
  );
  const credentials = Object.entries(stack.sites).flatMap(
    ([site, { accessKeyId, secretAccessKey }]) =>
      ['', 'READER_', 'CUSTODIAN_'].flatMap((role) => {
        const prefix = `RESIDENCY_SITE_${site.toUpperCase().replace('-', '_')}_${role}`;
        return [
          [`${prefix}ACCESS_KEY_ID`, accessKeyId],
          [`${prefix}SECRET_ACCESS_KEY`, secretAccessKey],
        ] as const;
      }),
  );
  await mkdir(join(folder.path, 'keys'));
  await writeFile(join(folder.path, 'regions.json'), JSON.stringify({ sites }));
  const settings: Record<string, string | undefined> = {
    RESIDENCY_LOG: name,
    RESIDENCY_KAFKA_BROKERS: stack.kafka.brokers.join(','),
    RESIDENCY_KAFKA_CLUSTER_ID: 'another-cluster',
    RESIDENCY_TOPIC_PREFIX: `${name}.`,
    RESIDENCY_TOPIC_PARTITIONS: '3',
    RESIDENCY_TOPIC_REPLICATION: '1',
    RESIDENCY_REDIS_URL: stack.redis.url,
    RESIDENCY_REDIS_KEY_PREFIX: name,
    RESIDENCY_REGIONS_FILE: 'regions.json',
    RESIDENCY_KEYS_DIR: 'keys',
    ...Object.fromEntries(credentials),
  };
  const configure = async (
    over: Readonly<Record<string, string | undefined>> = {},
  ): Promise<void> => {
    Object.assign(settings, over);
    const lines = Object.entries(settings).flatMap(([variable, value]) =>
      value === undefined ? [] : [`${variable}=${value}`],
    );
    await writeFile(join(folder.path, 'cluster.env'), `# a test's\n${lines.join('\n')}\n`);
  };
  await configure();
  const kafka = {
    brokers: stack.kafka.brokers,
    clientId: 'test',
    log: name,
    topicPrefix: `${name}.`,
  };
  return {
    folder,
    kafka,
    configure,
    redis: { url: stack.redis.url, keyPrefix: name },
    sites: Object.entries(sites).map(([site, place]) => ({
      site,
      ...place,
      checksums: 'WHEN_REQUIRED',
      credentials: stack.sites[site as keyof typeof REGION_OF],
    })),
    run: (...args) => folder.run(...args, '--config', 'cluster.env'),
    json: (code, ...args) => folder.json(code, ...args, '--config', 'cluster.env'),
    log: async () => {
      const log = await openKafkaLog(kafka, silent);
      onTestFinished(() => log.close());
      return log;
    },
  };
}

/** The cluster's id, from the message to an operator who configured another one. */
export async function learnClusterId(cluster: TestCluster): Promise<Finished> {
  const refused = await cluster.run('topics', 'check');
  const id = /found ([A-Za-z0-9_-]+)\. Compare the brokers/.exec(refused.err)?.[1];
  await cluster.configure({ RESIDENCY_KAFKA_CLUSTER_ID: id });
  return refused;
}

const POLICY = fileURLToPath(new URL('../../../policy/residency-1.json', import.meta.url));

/** Topics, sites, a key for each region, and the first policy. */
export async function preparedCluster(): Promise<TestCluster> {
  const cluster = await testCluster();
  await learnClusterId(cluster);
  await cluster.json(0, 'topics', 'create');
  await cluster.json(0, 'site', 'init', '--all');
  for (const region of ['zurich', 'moscow'])
    await cluster.json(0, 'keys', 'add', '--region', region);
  await cluster.json(0, 'policy', 'publish', POLICY);
  return cluster;
}
