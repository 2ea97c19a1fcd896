import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KafkaLog } from '@residency/adapter-kafka';
import { S3LedgerStore } from '@residency/adapter-s3';
import {
  LeafWatch,
  RECORD_LOGS,
  RecentRegions,
  growLedger,
  ledgerOrigin,
} from '@residency/auditing';
import type { LedgerRecord } from '@residency/auditing';
import { TOPICS, custodyTopic } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { NOTE_SIGNATURE, makeKey, openSignerKey } from '@residency/ledger';
import { MemoryLedgerStore, auditPartition } from '@residency/testkit';
import { expect, onTestFinished } from 'vitest';
import { createBucket, sharedStack } from '../../../test/stack/index.ts';
import { routeAll } from './cluster-router.ts';
import type { TestCluster } from './cluster.ts';
import { finished } from './residency.ts';

/** Events in every partition; decided by a policy and consents that stand in the logs. */
export async function routed(cluster: TestCluster, log: KafkaLog): Promise<void> {
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
export async function audited(cluster: TestCluster, log: KafkaLog): Promise<void> {
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
  expect(await cluster.json(0, 'audit', 'key', 'show')).toHaveLength(8);
  const secret = (await readFile(join(cluster.folder.path, 'ledger-key'), 'utf8')).trim();
  const store = new S3LedgerStore({ ...endpoint, bucket, credentials: endpoint });
  onTestFinished(() => {
    store.close();
  });
  const logs: readonly TopicPartition[] = [
    ...[...(await log.ends(TOPICS.audit)).keys()].map((partition) => auditPartition(partition)),
    ...['moscow', 'zurich'].map((region) => ({ topic: custodyTopic(region), partition: 0 })),
    ...RECORD_LOGS,
  ];
  for (const of of logs) {
    const signer = await openSignerKey(secret, ledgerOrigin('residency-router', log.name, of));
    const watch = new LeafWatch({
      log: log.name,
      of,
      regions: new RecentRegions(),
      onAnomaly: (finding) => {
        throw new Error(finding.kind);
      },
    });
    const follow = async function* (): AsyncGenerator<readonly LedgerRecord[]> {
      const records: LedgerRecord[] = [];
      for await (const record of log.read(of.topic, { until: 'end' }))
        if (record.partition === of.partition) records.push(record);
      yield records;
      yield [];
    };
    await growLedger({
      source: { log: log.name, of, follow },
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

/** A real auditor, made anew by whatever the settings and the key file say now. */
export async function whileAudited(cluster: TestCluster, work: () => Promise<void>): Promise<void> {
  await whileServed(cluster, 'auditor', work);
}

/** A real service, as the settings say. */
export async function whileServed(
  cluster: TestCluster,
  name: 'auditor' | 'custodian',
  work: () => Promise<void>,
): Promise<void> {
  const service = cluster.folder.spawn(['service', name, '--config', 'cluster.env'], {
    RESIDENCY_HTTP_PORT: '0',
  });
  const ended = finished(service);
  let lines = '';
  service.stderr?.on('data', (text: string) => {
    lines += text;
  });
  try {
    await expect.poll(() => lines).toContain('Listening.');
    await work();
  } finally {
    service.kill('SIGTERM');
    const { code } = await ended;
    expect(code, lines).toBe(0);
  }
}
