import { createHash, randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KafkaLog } from '@residency/adapter-kafka';
import { S3LedgerStore } from '@residency/adapter-s3';
import { EventWatch, RecentRegions, growLedger, ledgerOrigin } from '@residency/auditing';
import type { AuditRecord } from '@residency/auditing';
import { TOPICS } from '@residency/contracts';
import { NOTE_SIGNATURE, makeKey, openSignerKey } from '@residency/ledger';
import { MemoryLedgerStore } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { createBucket, sharedStack } from '../../../test/stack/index.ts';
import { routeAll } from './cluster-router.ts';
import { preparedCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

const ALWAYS = ['--from', '2020-01-01', '--to', '2099-01-01'];

/** Events in every partition; decided by a policy and consents that stand in the logs. */
async function routed(cluster: TestCluster, log: KafkaLog): Promise<void> {
  await writeFile(join(cluster.folder.path, 'sample'), 'the sample');
  for (let at = 0; at < 8; at += 1) {
    await cluster.json(
      0,
      'consent',
      'grant',
      '--consent',
      `consent-000${at}`,
      '--subject',
      's',
      '--terms-version',
      '1',
    );
    await cluster.json(
      0,
      'publish',
      'sample',
      '--country',
      ['CH', 'BR', 'EU'][at % 3] ?? '',
      '--consent',
      `consent-000${at}`,
      '--source',
      `urn:test:${at}`,
    );
  }
  await routeAll(log, cluster.sites, join(cluster.folder.path, 'keys'));
}

/** As a running auditor does, into the bucket that the settings name. */
async function audited(cluster: TestCluster, log: KafkaLog): Promise<void> {
  const {
    sites: { 'zrh-1': endpoint },
  } = await sharedStack();
  const bucket = `${cluster.kafka.log}-ledger`;
  await createBucket(endpoint, bucket);
  await cluster.configure({
    RESIDENCY_LEDGER_BUCKET: bucket,
    RESIDENCY_LEDGER_ENDPOINT: endpoint.endpoint,
    RESIDENCY_LEDGER_AWS_REGION: endpoint.awsRegion,
    RESIDENCY_LEDGER_PATH_STYLE: String(endpoint.pathStyle),
    RESIDENCY_LEDGER_KEY_FILE: 'ledger-key',
    RESIDENCY_LEDGER_ACCESS_KEY_ID: endpoint.accessKeyId,
    RESIDENCY_LEDGER_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
  });
  // Events stand there already, so that none is made any more; this one was made before them.
  expect((await cluster.run('audit', 'key', 'generate')).err).toContain('LEDGER_KEY_LOST');
  await writeFile(
    join(cluster.folder.path, 'ledger-key'),
    `${(await makeKey('residency-router', randomBytes(32), NOTE_SIGNATURE)).signerKey}\n`,
    { mode: 0o600 },
  );
  expect(await cluster.json(0, 'audit', 'key', 'show')).toHaveLength(3);
  const secret = (await readFile(join(cluster.folder.path, 'ledger-key'), 'utf8')).trim();
  const store = new S3LedgerStore({ ...endpoint, bucket, credentials: endpoint });
  onTestFinished(() => {
    store.close();
  });
  for (const partition of (await log.ends(TOPICS.audit)).keys()) {
    const signer = await openSignerKey(
      secret,
      ledgerOrigin('residency-router', log.name, partition),
    );
    const watch = new EventWatch({
      log: log.name,
      partition,
      regions: new RecentRegions(),
      onAnomaly: (finding) => {
        throw new Error(finding.kind);
      },
    });
    const follow = async function* (): AsyncGenerator<readonly AuditRecord[]> {
      const records: AuditRecord[] = [];
      for await (const record of log.read(TOPICS.audit, { until: 'end' }))
        if (record.partition === partition) records.push(record);
      yield records;
      yield [];
    };
    await growLedger({
      source: { log: log.name, partition, follow },
      store,
      kept: new MemoryLedgerStore(),
      signer,
      watch,
      intervalMs: 0,
      now: () => 0,
      until: 'end',
      signal: new AbortController().signal,
    });
  }
}

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

it(
  'the audit log of a cluster is replayed, decided again, exported, proved and reconciled with its ledgers as on one machine',
  { timeout: 400_000 },
  async () => {
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

    expect((await cluster.json(0, 'reconcile', '--report', 'report.json')).at(-1)).toMatchObject({
      differences: 0,
      digest: first?.['digest'],
      ledgers: partitions.map(({ partition, events }) => ({
        partition,
        size: events,
        compared: events,
        notYet: 0,
      })),
    });

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
  },
);

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
  expect(begun).toHaveLength(3);
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
      { timeout: 60_000, interval: 1_000 },
    )
    .toEqual([0, expect.any(String)]);
}

/** A real auditor, made anew by whatever the settings and the key file say now. */
async function whileAudited(cluster: TestCluster, work: () => Promise<void>): Promise<void> {
  const auditor = cluster.folder.spawn(['service', 'auditor', '--config', 'cluster.env']);
  const ended = finished(auditor);
  let lines = '';
  auditor.stderr?.on('data', (text: string) => {
    lines += text;
  });
  try {
    await expect.poll(() => lines, { timeout: 30_000 }).toContain('Listening.');
    await work();
  } finally {
    auditor.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  }
}
