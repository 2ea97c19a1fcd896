import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { expect, it } from 'vitest';
import { audited, routed, whileAudited } from './audited-cluster.ts';
import { routeAll } from './cluster-router.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

const RESTORE = ['audit', 'restore', '--from-ledger'] as const;

/** The values of the audit topic, by partition. */
async function auditOf(log: KafkaLog): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, string[]>();
  for await (const { partition, value } of log.read(TOPICS.audit, { until: 'end' }))
    found.set(partition, [...(found.get(partition) ?? []), String(value)]);
  return new Map([...found].toSorted(([a], [b]) => a - b));
}

const DELETE_TOPIC = fileURLToPath(
  new URL('../../../packages/adapter-kafka/test/delete-topic.ts', import.meta.url),
);

async function recreateAudit(cluster: TestCluster): Promise<void> {
  await promisify(execFile)(process.execPath, [
    DELETE_TOPIC,
    JSON.stringify(cluster.kafka),
    `${cluster.kafka.topicPrefix}${TOPICS.audit}`,
  ]);
  await cluster.json(0, 'topics', 'create');
}

async function publish(cluster: TestCluster, count: number, source: string): Promise<void> {
  await writeFile(join(cluster.folder.path, 'sample'), 'the sample');
  for (let at = 0; at < count; at += 1)
    await cluster.json(
      0,
      'publish',
      'sample',
      '--country',
      'CH',
      '--consent',
      `consent-000${at}`,
      '--source',
      `${source}:${at}`,
    );
}

it('an audit topic that was deleted is restored from its ledgers, and routers and auditors go on', async () => {
  const cluster = await preparedCluster();
  const first = await cluster.log();
  await routed(cluster, first);
  await audited(cluster, first);
  // Settled, and in no ledger: their records are settled again.
  await publish(cluster, 3, 'urn:later');
  await routeAll(first, cluster.sites, join(cluster.folder.path, 'keys'));
  const before = await auditOf(first);
  await publish(cluster, 2, 'urn:waiting');
  await first.close();

  await recreateAudit(cluster);
  const lost = await cluster.log();
  await expect(
    routeAll(lost, cluster.sites, join(cluster.folder.path, 'keys')),
  ).rejects.toMatchObject({ code: 'PROGRESS_DIFFERS' });

  // Killed in the middle, once and again, it is repeated.
  for (const after of [300, 900]) {
    const restoring = cluster.folder.spawn([...RESTORE, '--config', 'cluster.env']);
    const killer = setTimeout(() => restoring.kill('SIGKILL'), after);
    await finished(restoring);
    clearTimeout(killer);
  }
  const rows = await cluster.json(0, ...RESTORE);
  expect(rows.reduce((sum, { entries }) => sum + Number(entries), 0)).toBe(8);
  expect((await cluster.json(0, ...RESTORE)).every(({ missing }) => missing === 0)).toBe(true);
  const log = await cluster.log();
  const restored = await auditOf(log);
  for (const [partition, events] of restored)
    expect(before.get(partition)?.slice(0, events.length)).toEqual(events);
  expect([...restored.values()].flat()).toHaveLength(8);
  expect((await cluster.json(0, 'audit', 'list', '--control')).map(({ type }) => type)).toContain(
    'residency.audit.restore-begun.v1',
  );

  await routeAll(log, cluster.sites, join(cluster.folder.path, 'keys'));
  const after = await auditOf(log);
  for (const [partition, events] of before)
    expect(after.get(partition)?.slice(0, events.length)).toEqual(events);
  expect([...after.values()].flat()).toHaveLength(13);
  await whileAudited(cluster, async () => {
    await expect
      .poll(
        async () =>
          (await cluster.json(0, 'audit', 'fsck')).reduce(
            (sum, { size }) => sum + Number(size ?? 0),
            0,
          ),
        { interval: 500 },
      )
      .toBe(13);
  });
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});
