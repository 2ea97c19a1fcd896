import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS, custodyTopic } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { expect, it } from 'vitest';
import { sharedStack, signedRequest } from '../../../test/stack/index.ts';
import { audited, routed, whileAudited, whileServed } from './audited-cluster.ts';
import { routeAll } from './cluster-router.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

const RESTORE = ['audit', 'restore', '--from-ledger'] as const;

/** The values of a topic, by partition. */
async function valuesOf(
  log: KafkaLog,
  topic: Topic = TOPICS.audit,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, string[]>();
  for await (const { partition, value } of log.read(topic, { until: 'end' }))
    found.set(partition, [...(found.get(partition) ?? []), String(value)]);
  return new Map([...found].toSorted(([a], [b]) => a - b));
}

const DELETE_TOPIC = fileURLToPath(
  new URL('../../../packages/adapter-kafka/test/delete-topic.ts', import.meta.url),
);

async function recreate(cluster: TestCluster, topic: Topic): Promise<void> {
  await promisify(execFile)(process.execPath, [
    DELETE_TOPIC,
    JSON.stringify(cluster.kafka),
    `${cluster.kafka.topicPrefix}${topic}`,
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
  const before = await valuesOf(first);
  await publish(cluster, 2, 'urn:waiting');
  await first.close();

  await recreate(cluster, TOPICS.audit);
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
  const restored = await valuesOf(log);
  for (const [partition, events] of restored)
    expect(before.get(partition)?.slice(0, events.length)).toEqual(events);
  expect([...restored.values()].flat()).toHaveLength(8);
  expect((await cluster.json(0, 'audit', 'list', '--control')).map(({ type }) => type)).toContain(
    'residency.audit.restore-begun.v1',
  );

  await routeAll(log, cluster.sites, join(cluster.folder.path, 'keys'));
  const after = await valuesOf(log);
  for (const [partition, events] of before)
    expect(after.get(partition)?.slice(0, events.length)).toEqual(events);
  expect([...after.values()].flat()).toHaveLength(13);
  await whileAudited(cluster, async () => {
    await expect
      .poll(
        async () =>
          (await cluster.json(0, 'audit', 'fsck'))
            .filter(({ ledger }) => String(ledger).startsWith('partition'))
            .reduce((sum, { size }) => sum + Number(size ?? 0), 0),
        { interval: 500 },
      )
      .toBe(13);
  });
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

const ZURICH = custodyTopic('zurich');

/** Takes every object of a bucket's samples away. */
async function emptied(cluster: TestCluster, site: 'zrh-2'): Promise<number> {
  const { sites } = await sharedStack();
  const bucket = cluster.sites.find((one) => one.site === site)?.bucket ?? '';
  const ask = async (method: string, path: string): Promise<string> =>
    String((await signedRequest({ method, path: `/${bucket}${path}`, ...sites[site] })).body);
  const keys = [...(await ask('GET', '')).matchAll(/<Key>(samples\/[^<]+)<\/Key>/g)];
  for (const [, key] of keys) await ask('DELETE', `/${key}`);
  return keys.length;
}

/** A custodian runs until the last order is closed. */
async function repaired(cluster: TestCluster): Promise<void> {
  await cluster.json(0, 'site', 'repair', 'zrh-2');
  await whileServed(cluster, 'custodian', async () => {
    await expect
      .poll(async () => (await cluster.json(0, 'site', 'repairs')).at(-1)?.['state'], {
        interval: 500,
      })
      .toBe('closed');
  });
}

it('audit and custody topics that were deleted are restored together, and custodians go on with nothing twice', async () => {
  const cluster = await preparedCluster();
  await cluster.configure({ RESIDENCY_CUSTODIAN_REGION: 'zurich' });
  const first = await cluster.log();
  await routed(cluster, first);
  const objects = await emptied(cluster, 'zrh-2');
  expect(objects).toBeGreaterThan(1);
  await repaired(cluster);
  await audited(cluster, first);
  const [audit, custody] = [await valuesOf(first), await valuesOf(first, ZURICH)];
  expect(custody.get(0)).toHaveLength(objects + 1);
  await first.close();
  for (const topic of [TOPICS.audit, ZURICH]) await recreate(cluster, topic);

  expect(
    (await cluster.json(1, ...RESTORE, '--dry-run')).find(({ topic }) => topic === ZURICH),
  ).toMatchObject({ missing: objects + 1, records: 0, restored: 0 });
  for (const after of [300, 1_200]) {
    const restoring = cluster.folder.spawn([...RESTORE, '--config', 'cluster.env']);
    const killer = setTimeout(() => restoring.kill('SIGKILL'), after);
    await finished(restoring);
    clearTimeout(killer);
  }
  await cluster.json(0, ...RESTORE);
  expect((await cluster.json(0, ...RESTORE)).every(({ missing }) => missing === 0)).toBe(true);
  const log = await cluster.log();
  expect(await valuesOf(log)).toEqual(audit);
  expect(await valuesOf(log, ZURICH)).toEqual(custody);

  // The custodian owes nothing, and its next event is the next number.
  await repaired(cluster);
  const after = (await valuesOf(log, ZURICH)).get(0) ?? [];
  expect(after.slice(0, -1)).toEqual(custody.get(0));
  expect(JSON.parse(after.at(-1) ?? '')).toMatchObject({
    id: String(objects + 1),
    type: 'residency.order.closed.v1',
    data: { checked: objects, copied: 0, unpaid: 0 },
  });
  await whileAudited(cluster, async () => {
    await expect
      .poll(
        async () =>
          (await cluster.json(0, 'audit', 'fsck')).find(({ ledger }) => ledger === ZURICH)?.[
            'size'
          ],
        { interval: 500 },
      )
      .toBe(objects + 2);
  });
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});
