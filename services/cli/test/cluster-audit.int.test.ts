import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { expect, it } from 'vitest';
import { audited, routed, whileAudited } from './audited-cluster.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';

const ALWAYS = ['--from', '2020-01-01', '--to', '2099-01-01'];

async function digestByHand(log: KafkaLog): Promise<string> {
  const partitions = new Map<number, Buffer[]>();
  for await (const { partition, value } of log.read(TOPICS.audit, { until: 'end' }))
    partitions.set(partition, [...(partitions.get(partition) ?? []), value ?? Buffer.alloc(0)]);
  const lines = [...partitions]
    .sort(([a], [b]) => a - b)
    .map(([partition, events]) => {
      const bytes = Buffer.concat(
        events.flatMap((event) => [
          Buffer.from([0, 0, event.length >> 8, event.length & 0xff]),
          event,
        ]),
      );
      return `residency.audit/${partition} ${events.length} ${createHash('sha256').update(bytes).digest('hex')}\n`;
    });
  return createHash('sha256').update(lines.join('')).digest('hex');
}

it('the audit log of a cluster is replayed, decided again, exported, proved and reconciled with its ledgers as on one machine', async () => {
  const cluster = await preparedCluster();
  const log = await cluster.log();
  await routed(cluster, log);
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({
    ledgers: [],
    differences: 0,
  });
  await audited(cluster, log);

  const [first] = await cluster.json(0, 'audit', 'replay', '--into', 'one');
  const [second] = await cluster.json(0, 'audit', 'replay', '--into', 'two');
  expect(first).toMatchObject({
    events: 8,
    faults: { total: 0 },
    digest: await digestByHand(log),
  });
  expect(second).toEqual(first);
  const partitions = first?.['partitions'] as readonly {
    readonly partition: number;
    readonly events: number;
  }[];
  expect(partitions.length).toBeGreaterThan(1);

  expect(await cluster.json(0, 'audit', 'adjudicate')).toMatchObject([
    { events: 8, regionsDecided: 6, consentsDecided: 8, differences: 0 },
  ]);
  const exported = await cluster.run('audit', 'export', ...ALWAYS);
  expect(exported.out.trim().split('\n')).toHaveLength(8);
  expect((await cluster.json(0, 'audit', 'list', '--control')).at(-1)).toMatchObject({
    data: { events: 8, complete: true, digest: first?.['digest'] },
  });

  const keys = (await cluster.json(0, 'audit', 'key', 'show')).map(({ key }) => String(key));
  const fsck = await cluster.json(0, 'audit', 'fsck');
  expect(
    fsck
      .filter(({ fault, findings }) => fault === undefined && findings === 0)
      .map(({ ledger, size }) => [ledger, size]),
  ).toEqual(
    expect.arrayContaining(
      partitions.map(({ partition, events }) => [`partition ${partition}`, events]),
    ),
  );
  const stored = String(
    (await cluster.json(0, 'audit', 'list', '--outcome', 'stored'))[0]?.['causationid'],
  );
  await cluster.json(0, 'audit', 'prove', stored, '--out', 'receipt');
  const [verified] = await cluster.folder.json(
    0,
    'audit',
    'verify',
    'receipt',
    ...keys.flatMap((key) => ['--key', key]),
  );
  expect(verified).toMatchObject({ verified: true, submission: stored });

  const reconciled = (await cluster.json(0, 'reconcile', '--report', 'report.json')).at(-1);
  expect(reconciled).toMatchObject({ differences: 0, digest: first?.['digest'] });
  const ledgers = reconciled?.['ledgers'] as readonly { readonly topic: string }[];
  expect(ledgers.filter(({ topic }) => topic === TOPICS.audit)).toMatchObject(
    partitions.map(({ partition, events }) => ({
      partition,
      size: events,
      compared: events,
      notYet: 0,
    })),
  );
  expect(ledgers.map(({ topic }) => topic)).toEqual(
    expect.arrayContaining([TOPICS.policy, TOPICS.control, TOPICS.consents]),
  );

  await whileAudited(cluster, async () => {
    await keyChanged(cluster, keys);
  });
  await keyLost(cluster);
  // What was signed before the key was changed and then lost verifies as it did.
  expect(
    await cluster.folder.json(
      0,
      'audit',
      'verify',
      'receipt',
      ...keys.flatMap((key) => ['--key', key]),
    ),
  ).toMatchObject([{ verified: true }]);
});

/** Beside an auditor that signs with the old key until it is started again. */
async function keyChanged(cluster: TestCluster, before: readonly string[]): Promise<void> {
  const rows = await cluster.json(0, 'audit', 'key', 'rotate');
  const of = (state: string): readonly string[] =>
    rows.flatMap((row) => (row['state'] === state ? [String(row['key'])] : []));
  expect([
    of('former').toSorted(),
    of('signs').length,
    of('signs').filter((key) => before.includes(key)),
  ]).toEqual([before.toSorted(), before.length, []]);
  expect((await cluster.json(0, 'audit', 'list', '--control')).at(-1)).toMatchObject({
    type: 'residency.ledger.key-change-begun.v1',
    principal: expect.any(String),
    data: { change: 'rotate' },
  });
  await whole(cluster);
}

async function keyLost(cluster: TestCluster): Promise<void> {
  const file = join(cluster.folder.path, 'ledger-key');
  expect((await cluster.run('audit', 'new-ledger', '--lost', 'key')).code).toBe(2);
  await rm(file);
  for (const command of ['generate', 'rotate'])
    expect((await cluster.run('audit', 'key', command)).err).toContain('LEDGER_KEY_LOST');
  const begun = await cluster.json(0, 'audit', 'new-ledger', '--lost', 'key');
  expect(begun).toHaveLength(8);
  for (const row of begun) expect(row).toMatchObject({ generation: 2 });
  expect((await cluster.json(0, 'audit', 'list', '--control')).at(-1)).toMatchObject({
    type: 'residency.ledger.new-ledger-begun.v1',
    data: { lost: 'key' },
  });
  await whileAudited(cluster, async () => {
    await whole(cluster);
  });
  expect((await cluster.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
}

async function whole(cluster: TestCluster): Promise<void> {
  await expect
    .poll(
      async () => {
        const { code, out } = await cluster.run('audit', 'fsck', '--json');
        return [code, out];
      },
      { interval: 1_000 },
    )
    .toEqual([0, expect.any(String)]);
}
