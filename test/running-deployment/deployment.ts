import { randomBytes, randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { createTopics, openKafkaLog, topicPlan } from '@residency/adapter-kafka';
import type { KafkaLog, KafkaSettings } from '@residency/adapter-kafka';
import { initS3Site } from '@residency/adapter-s3';
import { configurationOf } from '@residency/configuration';
import { policyEntry, readPolicy } from '@residency/contracts';
import { NOTE_SIGNATURE, makeKey } from '@residency/ledger';
import { generateRegionKey } from '@residency/sealing';
import { createLogger } from '@residency/telemetry';
import type { Finished } from '../e2e/residency.ts';
import { createBucket, freePorts, TEST_SITES } from '../stack/index.ts';
import type { Stack } from '../stack/index.ts';
import { ServiceProcess } from './service-process.ts';
import type { ServiceName } from './service-process.ts';

export interface DeploymentOptions {
  readonly partitions?: number;
  readonly replication?: number;
  /** Variables for every service, over the deployment's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without topics, markers and first policy. */
  readonly bare?: boolean;
}

const FIRST_POLICY = new URL('../../policy/residency-1.json', import.meta.url);
export const REGIONS = ['zurich', 'moscow'];
const REGION_OF = { 'zrh-1': 'zurich', 'zrh-2': 'zurich', 'mow-1': 'moscow' } as const;

/**
 * A whole distributed system of its own on a stack: topics, buckets, keys, the first policy, and
 * services as processes.
 */
export class Deployment {
  /** Holds configuration and keys; `residency` runs there. */
  readonly folder: string;
  readonly stack: Stack;
  readonly env: Readonly<Record<string, string>>;
  /** For publishing and for looking at topics. */
  readonly log: KafkaLog;
  readonly kafka: KafkaSettings;
  readonly buckets: Readonly<Record<(typeof TEST_SITES)[number], string>>;
  readonly #services: ServiceProcess[] = [];

  private constructor(
    parts: Pick<Deployment, 'folder' | 'stack' | 'env' | 'log' | 'kafka' | 'buckets'>,
  ) {
    this.folder = parts.folder;
    this.stack = parts.stack;
    this.env = parts.env;
    this.log = parts.log;
    this.kafka = parts.kafka;
    this.buckets = parts.buckets;
  }

  static async open(
    stack: Stack,
    { partitions = 2, replication = 1, env: more = {}, bare = false }: DeploymentOptions = {},
  ): Promise<Deployment> {
    const folder = await mkdtemp(join(tmpdir(), 'residency-deployment-'));
    const name = randomBytes(6).toString('hex');
    const buckets = {
      'zrh-1': `zrh-1-${name}`,
      'zrh-2': `zrh-2-${name}`,
      'mow-1': `mow-1-${name}`,
    };
    for (const site of TEST_SITES) await createBucket(stack.sites[site], buckets[site]);
    await createBucket(stack.sites['zrh-1'], `ledger-${name}`);
    await writeFile(
      join(folder, 'ledger-key'),
      `${(await makeKey('residency-router', randomBytes(32), NOTE_SIGNATURE)).signerKey}\n`,
      { mode: 0o600 },
    );
    const env = { ...environment(stack, folder, name, { partitions, replication }), ...more };
    await writeFile(join(folder, 'regions.json'), JSON.stringify(regions(stack, buckets)));
    await makeKeys(folder);
    await mkdir(env.RESIDENCY_RECONCILER_STATE_DIR);
    const unbound = {
      brokers: stack.kafka.brokers,
      clientId: 'test',
      log: env.RESIDENCY_LOG,
      topicPrefix: env.RESIDENCY_TOPIC_PREFIX,
    };
    const log = await openKafkaLog(unbound, createLogger({ level: 'silent' }));
    const bound = { ...env, RESIDENCY_KAFKA_CLUSTER_ID: log.clusterId };
    await writeFile(
      join(folder, 'residency.env'),
      Object.entries({ ...bound, RESIDENCY_KEYS_DIR: join(folder, 'keys') })
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    const deployment = new Deployment({
      folder,
      stack,
      env: bound,
      log,
      kafka: { ...unbound, clusterId: log.clusterId },
      buckets,
    });
    if (!bare) await deployment.#furnish();
    return deployment;
  }

  /** Starts a service and waits until it is ready. */
  async start(
    name: ServiceName,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServiceProcess> {
    return await (await this.launch(name, env)).ready();
  }

  async launch(
    name: ServiceName,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServiceProcess> {
    const [port = 0] = await freePorts(1);
    const service = new ServiceProcess(name, port, { ...this.env, ...env });
    this.#services.push(service);
    return service;
  }

  /** The command line on this deployment, in this process. */
  async residency(...args: readonly string[]): Promise<Finished> {
    // Most deployments run no command.
    const { inProcess } = await import('../../services/cli/test/in-process.ts');
    const { code, out, err } = await inProcess([...args, '--config', 'residency.env'], {
      env: { ...process.env, XDG_STATE_HOME: join(this.folder, 'state') },
      cwd: this.folder,
    });
    return { code, stdout: out, stderr: err };
  }

  /** The last log lines of every service it started: so many characters of each. */
  said(characters = 4_096): string {
    return this.#services
      .map(({ name, pid, output }) => `${name} ${pid}:\n${output.slice(-characters)}`)
      .join('\n');
  }

  async close(): Promise<void> {
    for (const service of this.#services) if (service.running) service.signal('SIGKILL');
    await Promise.all(this.#services.map((service) => service.exited()));
    await this.log.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #furnish(): Promise<void> {
    const { sites, topics } = configurationOf(['sites', 'topics'], {
      env: this.env,
      readFile: () => JSON.stringify(regions(this.stack, this.buckets)),
    });
    await createTopics(
      this.kafka,
      createLogger({ level: 'silent' }),
      topicPlan({
        partitions: topics.partitions,
        replicationFactor: topics.replicationFactor,
        retentionMs: topics.retentionMs,
        regions: REGIONS,
      }),
    );
    await Promise.all(sites.map((site) => initS3Site(site)));
    await this.log.append([
      policyEntry(readPolicy(await readFile(FIRST_POLICY)).document, randomUUID()),
    ]);
  }
}

function environment(
  stack: Stack,
  folder: string,
  name: string,
  { partitions, replication }: { readonly partitions: number; readonly replication: number },
) {
  return {
    RESIDENCY_LOG: `test-${name}`,
    RESIDENCY_KAFKA_BROKERS: stack.kafka.brokers.join(','),
    RESIDENCY_KAFKA_CLUSTER_ID: 'not-known-yet',
    RESIDENCY_TOPIC_PREFIX: `${name}.`,
    RESIDENCY_TOPIC_PARTITIONS: String(partitions),
    RESIDENCY_TOPIC_REPLICATION: String(replication),
    RESIDENCY_REDIS_URL: stack.redis.url,
    RESIDENCY_REDIS_KEY_PREFIX: `test-${name}`,
    RESIDENCY_REGIONS_FILE: join(folder, 'regions.json'),
    // Routers seal only: they get the public halves alone (DESIGN §2.8).
    RESIDENCY_KEYS_DIR: join(folder, 'public-keys'),
    ...ledger(stack, folder, name),
    RESIDENCY_RECONCILER_STATE_DIR: join(folder, 'reconciler'),
    RESIDENCY_RECONCILER_READS_PER_SECOND: '10000',
    RESIDENCY_RECONCILER_PAUSE_MS: '500',
    RESIDENCY_LOG_LEVEL: 'info',
    ...Object.fromEntries(
      TEST_SITES.flatMap((site) => {
        const variable = `RESIDENCY_SITE_${site.toUpperCase().replaceAll('-', '_')}`;
        const { accessKeyId, secretAccessKey } = stack.sites[site];
        return ['', '_READER', '_CUSTODIAN'].flatMap((role) => [
          [`${variable}${role}_ACCESS_KEY_ID`, accessKeyId],
          [`${variable}${role}_SECRET_ACCESS_KEY`, secretAccessKey],
        ]);
      }),
    ),
  };
}

function ledger(stack: Stack, folder: string, name: string) {
  const { endpoint, awsRegion, pathStyle, accessKeyId, secretAccessKey } = stack.sites['zrh-1'];
  return {
    RESIDENCY_LEDGER_BUCKET: `ledger-${name}`,
    RESIDENCY_LEDGER_ENDPOINT: endpoint,
    RESIDENCY_LEDGER_AWS_REGION: awsRegion,
    RESIDENCY_LEDGER_PATH_STYLE: String(pathStyle),
    RESIDENCY_LEDGER_ACCESS_KEY_ID: accessKeyId,
    RESIDENCY_LEDGER_SECRET_ACCESS_KEY: secretAccessKey,
    RESIDENCY_LEDGER_KEY_FILE: join(folder, 'ledger-key'),
    RESIDENCY_LEDGER_INTERVAL_MS: '500',
  };
}

function regions(stack: Stack, buckets: Deployment['buckets']): object {
  return {
    sites: Object.fromEntries(
      TEST_SITES.map((site) => {
        const { endpoint, awsRegion, pathStyle } = stack.sites[site];
        return [
          site,
          { region: REGION_OF[site], bucket: buckets[site], endpoint, awsRegion, pathStyle },
        ];
      }),
    ),
  };
}

async function makeKeys(folder: string): Promise<void> {
  const keys = new KeyDirectory(join(folder, 'keys'));
  for (const region of REGIONS) await keys.add(region, await generateRegionKey(region, Date.now()));
  await cp(join(folder, 'keys'), join(folder, 'public-keys'), {
    recursive: true,
    filter: (path) => !path.endsWith('.private.pem'),
  });
}
