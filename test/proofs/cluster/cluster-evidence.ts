import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack } from '../../stack/index.ts';
import { TEST_SITES } from '../../stack/index.ts';
import type { Evidence } from '../judgement.ts';
import { auditRow, files, objectsUnder } from '../on-disk.ts';
import type { AuditRow, ObjectOnDisk } from '../on-disk.ts';
import { groupProgress } from './group-progress.ts';
import { countAll, readTopic } from './kcat.ts';
import type { KcatRow } from './kcat.ts';
import { versionsOn } from './policy-changes.ts';
import type { VersionOnLog } from './policy-changes.ts';

/** Objects besides samples: the site's marker, and the probe of the conditional write. */
const OF_THE_SITE = ['residency-site.json', 'residency-site.probe'];
// A commit is acknowledged before readers see its records.
const VISIBLE_WITHIN_MS = 300_000;

export interface ClusterEvidence extends Evidence {
  readonly audit: readonly AuditRow[];
  /** The audit partition of each event, and when it was appended. */
  readonly auditPartitions: readonly {
    readonly partition: number;
    readonly appendedAt: number;
    readonly event: AuditRow;
  }[];
  /** The positions in quarantine pointers. */
  readonly quarantined: readonly string[];
  readonly versions: readonly VersionOnLog[];
  /** Audit events of transactions that were aborted. */
  readonly aborted: number;
}

/**
 * The contents of the topics, of the group's position and of the S3 servers' folders, read with
 * kcat and from the disk.
 */
export async function clusterEvidence(
  stack: OwnStack,
  { env, buckets }: Deployment,
): Promise<ClusterEvidence> {
  const { brokers } = stack.kafka;
  const named = (topic: string): string => `${env['RESIDENCY_TOPIC_PREFIX'] ?? ''}${topic}`;
  const { intake, auditPartitions } = await readLogs(brokers, named);
  const quarantine = await readTopic(brokers, named('threat.samples.quarantine'));
  return {
    name: env['RESIDENCY_LOG'] ?? '',
    intake,
    auditPartitions,
    audit: auditPartitions.map(({ event }) => event),
    quarantined: quarantine.map(
      ({ value }) => (JSON.parse(String(value)) as { readonly position: string }).position,
    ),
    aborted: (await countAll(brokers, named('residency.audit'))) - auditPartitions.length,
    versions: versionsOn(await readTopic(brokers, named('residency.policy'))),
    settled: await groupProgress(brokers, named('residency-router'), named('threat.samples')),
    ...(await inBuckets(stack, buckets)),
  };
}

/** A row of the audit log's topic. */
export function placedAuditRow({
  partition,
  at,
  value,
}: KcatRow): ClusterEvidence['auditPartitions'][number] {
  return { partition, appendedAt: at, event: auditRow(value ?? Buffer.alloc(0)) };
}

/** The intake log, and the audit log once it has an event for each record. */
export async function intakeAndAudit(
  brokers: readonly string[],
  { env }: Pick<Deployment, 'env'>,
): Promise<{ readonly intake: readonly KcatRow[]; readonly audit: readonly AuditRow[] }> {
  const { intake, auditPartitions } = await readLogs(
    brokers,
    (topic) => `${env['RESIDENCY_TOPIC_PREFIX'] ?? ''}${topic}`,
  );
  return { intake, audit: auditPartitions.map(({ event }) => event) };
}

async function readLogs(
  brokers: readonly string[],
  named: (topic: string) => string,
): Promise<Pick<ClusterEvidence, 'auditPartitions'> & { readonly intake: readonly KcatRow[] }> {
  const intake = await readTopic(brokers, named('threat.samples'));
  const until = performance.now() + VISIBLE_WITHIN_MS;
  let audit = await readTopic(brokers, named('residency.audit'));
  while (audit.length < intake.length && performance.now() < until) {
    await sleep(1_000);
    audit = await readTopic(brokers, named('residency.audit'));
  }
  return {
    intake,
    auditPartitions: audit.map(placedAuditRow),
  };
}

/** Bytes that a custodian kept before it replaced them. */
const SET_ASIDE = /^damaged\/[0-9a-f]{64}\/[0-9a-f]{64}$/;

async function inBuckets(
  { folder }: OwnStack,
  buckets: Deployment['buckets'],
): Promise<{ objects: readonly ObjectOnDisk[]; leftBehind: readonly string[] }> {
  const objects: ObjectOnDisk[] = [];
  const leftBehind: string[] = [];
  for (const site of TEST_SITES) {
    const root = join(folder, site, buckets[site]);
    objects.push(
      ...(await objectsUnder(
        site,
        root,
        (id) => `samples/${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`,
      )),
    );
    const lawful = new Set(OF_THE_SITE.map((name) => join(root, name)));
    leftBehind.push(
      ...(await files(root)).filter(
        (path) =>
          !path.startsWith(join(root, 'samples/')) &&
          !SET_ASIDE.test(path.slice(root.length + 1)) &&
          !lawful.has(path),
      ),
    );
  }
  return { objects, leftBehind };
}
