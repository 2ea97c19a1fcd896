import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../running-deployment/deployment.ts';
import { TEST_SITES, signedRequest } from '../../stack/index.ts';
import type { OwnStack, TestSite } from '../../stack/index.ts';
import type { Haystack } from '../canaries.ts';
import { clusterEvidence, placedAuditRow } from '../cluster/cluster-evidence.ts';
import type { ClusterEvidence } from '../cluster/cluster-evidence.ts';
import { readTopic } from '../cluster/kcat.ts';
import { files, sha256 } from '../on-disk.ts';

/** Every topic but those that keep samples and subjects. */
const SEARCHED = [
  'residency.audit',
  'residency.control',
  'residency.custody.zurich',
  'residency.custody.moscow',
  'residency.policy',
  'threat.consents',
  'threat.samples.quarantine',
];

/** An event as its topic has it. */
export interface TopicEvent {
  readonly type: string;
  /** Append time, milliseconds since the epoch. */
  readonly at: number;
  readonly bytes: Buffer;
  readonly sequence?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A file of a bucket, other than a marker. */
export interface SetAside {
  readonly site: string;
  /** `damaged/<submission>/<digest>`. */
  readonly key: string;
  readonly sha256: string;
}

export interface ErasureEvidence extends ClusterEvidence {
  readonly consents: readonly TopicEvent[];
  readonly control: readonly TopicEvent[];
  /** By region. */
  readonly custody: Readonly<Record<string, readonly TopicEvent[]>>;
  readonly setAside: readonly SetAside[];
}

/** What says which samples are erased. */
export type Orders = Pick<ErasureEvidence, 'auditPartitions' | 'control' | 'custody'>;

/** Topics as kcat reads them, and the files of the S3 servers. Services must have ended. */
export async function erasureEvidence(
  stack: OwnStack,
  deployment: Deployment,
): Promise<ErasureEvidence> {
  return {
    ...(await clusterEvidence(stack, deployment)),
    ...(await controlAndCustody(stack, deployment)),
    consents: await eventsOf(stack, deployment, 'threat.consents'),
    setAside: await setAsideIn(stack, deployment),
  };
}

/**
 * Reads only topics without ticks: kcat finds no end of the others while services run.
 */
export async function ordersOf(stack: OwnStack, deployment: Deployment): Promise<Orders> {
  const audit = await readTopic(stack.kafka.brokers, named(deployment, 'residency.audit'));
  return {
    ...(await controlAndCustody(stack, deployment)),
    auditPartitions: audit.map(placedAuditRow),
  };
}

async function controlAndCustody(
  stack: OwnStack,
  deployment: Deployment,
): Promise<Pick<Orders, 'control' | 'custody'>> {
  return {
    control: await eventsOf(stack, deployment, 'residency.control'),
    custody: {
      zurich: await eventsOf(stack, deployment, 'residency.custody.zurich'),
      moscow: await eventsOf(stack, deployment, 'residency.custody.moscow'),
    },
  };
}

async function eventsOf(
  { kafka }: OwnStack,
  deployment: Deployment,
  topic: string,
): Promise<readonly TopicEvent[]> {
  return (await readTopic(kafka.brokers, named(deployment, topic))).flatMap(({ value, at }) =>
    topicEvent(value, at),
  );
}

/** None, if the value is no event: a record that only marks the time. */
function topicEvent(value: Buffer | null, at: number): readonly TopicEvent[] {
  const {
    type,
    sequence,
    data,
    data_base64: base64,
  } = JSON.parse(value?.toString('utf8') || '{}') as Partial<TopicEvent> & {
    readonly data_base64?: string;
  };
  if (type === undefined || value === null) return [];
  return [
    {
      type,
      at,
      bytes: value,
      data:
        data ??
        (JSON.parse(
          Buffer.from(base64 ?? '', 'base64').toString('utf8') || '{}',
        ) as object as TopicEvent['data']),
      ...(sequence === undefined ? {} : { sequence }),
    },
  ];
}

async function setAsideIn(
  { folder }: OwnStack,
  { buckets }: Deployment,
): Promise<readonly SetAside[]> {
  const found: SetAside[] = [];
  for (const site of TEST_SITES) {
    const root = join(folder, site, buckets[site]);
    for (const path of await files(root)) {
      const key = path.slice(root.length + 1);
      if (key.startsWith('damaged/'))
        found.push({ site, key, sha256: sha256(await readFile(path)) });
    }
  }
  return found;
}

/** The metadata of an object, as its site answers a HEAD. */
export async function metadataOf(
  { sites }: OwnStack,
  { buckets }: Deployment,
  site: TestSite,
  key: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, headers } = await signedRequest({
    method: 'HEAD',
    ...sites[site],
    path: `/${buckets[site]}/${key}`,
  });
  return status === 200 ? headers : {};
}

/** All that is searched for canaries: objects, topics, Redis and log lines. */
export async function haystacks(
  stack: OwnStack,
  deployment: Deployment,
): Promise<readonly Haystack[]> {
  const all: Haystack[] = [];
  for (const site of TEST_SITES)
    for (const path of await files(join(stack.folder, site)))
      all.push({ name: `${site}: ${path}`, bytes: await readFile(path) });
  for (const topic of SEARCHED)
    for (const { key, value, partition, offset, headers } of await readTopic(
      stack.kafka.brokers,
      named(deployment, topic),
    ))
      all.push({
        name: `${topic}/${partition}/${offset}`,
        bytes: Buffer.concat([
          ...[...headers].flatMap(([name, content]) => [Buffer.from(name), content]),
          key ?? Buffer.alloc(0),
          value ?? Buffer.alloc(0),
        ]),
      });
  for (const [name, bytes] of await stack.servers.redis.copyData())
    all.push({ name: `Redis: ${name}`, bytes });
  all.push({ name: 'log lines', bytes: Buffer.from(deployment.said(1 << 20)) });
  return all;
}

function named({ env }: Deployment, topic: string): string {
  return `${env['RESIDENCY_TOPIC_PREFIX'] ?? ''}${topic}`;
}
