import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTopics, openKafkaLog, topicPlan } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { configurationOf } from '@residency/configuration';
import { TOPICS, custodyTopic, policyEntry, readPolicy } from '@residency/contracts';
import {
  LedgerReader,
  NOTE_SIGNATURE,
  makeKey,
  openCheckpoint,
  openSignerKey,
} from '@residency/ledger';
import type { Checkpoint } from '@residency/ledger';
import type { RunningWork } from '@residency/operations';
import { createLogger, createMetrics } from '@residency/telemetry';
import { eventually, someAuditRecords, someCustodyEvents } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBucket, sharedKafka, sharedSites } from '../../../test/stack/index.ts';
import type { AuditorSettings } from '../src/config.ts';
import { startAuditor } from '../src/start-auditor.ts';

const POLICY = new URL('../../../policy/residency-1.json', import.meta.url);
const PARTITIONS = 3;
const SECRET = (await makeKey('audit.example', randomBytes(32), NOTE_SIGNATURE)).signerKey;
const logger = createLogger({ level: 'silent' });
let log: KafkaLog;
let env: Record<string, string>;
let folder: string;
const running: RunningWork[] = [];

beforeEach(async () => {
  const [kafka, sites] = await Promise.all([sharedKafka(), sharedSites()]);
  const name = randomBytes(6).toString('hex');
  const site = sites['zrh-2'];
  folder = await mkdtemp(join(tmpdir(), 'residency-auditor-'));
  await mkdir(join(folder, 'kept'));
  const settings = {
    brokers: kafka.brokers,
    clientId: 'test',
    log: 'log-1',
    topicPrefix: `${name}.`,
  };
  log = await openKafkaLog(settings, logger);
  await createTopics(settings, logger, topicPlan({ partitions: PARTITIONS, replicationFactor: 1 }));
  env = {
    RESIDENCY_LOG: 'log-1',
    RESIDENCY_KAFKA_BROKERS: kafka.brokers.join(','),
    RESIDENCY_KAFKA_CLUSTER_ID: log.clusterId,
    RESIDENCY_TOPIC_PREFIX: `${name}.`,
    RESIDENCY_HTTP_PORT: '0',
    RESIDENCY_LEDGER_ORIGIN: 'audit.example',
    RESIDENCY_LEDGER_KEY_FILE: 'key',
    RESIDENCY_CHECKPOINTS_DIR: join(folder, 'kept'),
    RESIDENCY_LEDGER_INTERVAL_MS: '100',
    RESIDENCY_LEDGER_BUCKET: await createBucket(site),
    RESIDENCY_LEDGER_ENDPOINT: site.endpoint,
    RESIDENCY_LEDGER_AWS_REGION: site.awsRegion,
    RESIDENCY_LEDGER_PATH_STYLE: String(site.pathStyle),
    RESIDENCY_LEDGER_ACCESS_KEY_ID: site.accessKeyId,
    RESIDENCY_LEDGER_SECRET_ACCESS_KEY: site.secretAccessKey,
  };
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

function settingsOf(over: Record<string, string | undefined> = {}): AuditorSettings {
  return configurationOf(['kafka', 'ledger', 'checkpoints', 'auditing', 'http', 'telemetry'], {
    env: { ...env, ...over },
    readFile: () => SECRET,
  });
}

async function started(settings = settingsOf()): Promise<RunningWork> {
  const auditor = await startAuditor({
    settings,
    logger,
    metrics: createMetrics({ service: 'auditor', version: 'test', now: Date.now }),
    now: () => performance.now(),
    holdMs: 0,
  });
  running.push(auditor);
  return auditor;
}

/** Appends events to the audit log, each to whatever partition its key leads to. */
async function append(count: number, from = 0): Promise<void> {
  const values = someAuditRecords(from + count)
    .slice(from)
    .map(({ value }) => value);
  await log.append(
    values.map((value, at) => ({
      topic: TOPICS.audit,
      record: { key: Buffer.from(String(from + at)), headers: [], value },
    })),
  );
}

async function partitionsOfLog(): Promise<Map<number, Buffer[]>> {
  const values = new Map<number, Buffer[]>(
    Array.from({ length: PARTITIONS }, (_, partition) => [partition, []]),
  );
  for await (const { partition, value } of log.read(TOPICS.audit, { until: 'end' }))
    values.get(partition)?.push(value ?? Buffer.alloc(0));
  return values;
}

function readOver(url: string, partition: number): (path: string) => Promise<Buffer | undefined> {
  return async (path) => {
    const answer = await fetch(`${url}/ledger/${partition}/${path}`);
    return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined;
  };
}

/**
 * Waits until each partition's ledger has as many entries as its log, and gives both, each entry
 * proven over HTTP.
 */
async function expectWhole(url: string): Promise<Map<number, Checkpoint>> {
  const heads = new Map<number, Checkpoint>();
  for (const [partition, values] of await partitionsOfLog()) {
    const read = readOver(url, partition);
    const { key } = await openSignerKey(SECRET, `audit.example/log-1/${partition}`);
    const checkpoint = await eventually(async () => {
      const bytes = await read('checkpoint');
      const opened = bytes && (await openCheckpoint(bytes, { keys: [key] })).checkpoint;
      return opened?.size === values.length ? opened : undefined;
    });
    const reader = await LedgerReader.open(checkpoint, read);
    const entries: Buffer[] = [];
    for (let bundle = 0; bundle * 256 < checkpoint.size; bundle += 1)
      entries.push(...(await reader.entries(bundle)).map((entry) => Buffer.from(entry)));
    expect(entries).toEqual(values);
    heads.set(partition, checkpoint);
  }
  return heads;
}

test("every partition's ledger holds the log's events in order, in a bucket and in a folder, and continues after a stop", async () => {
  await append(900);
  const one = await started();
  const first = await expectWhole(one.url);
  await append(100, 900);
  await expectWhole(one.url);
  expect((await fetch(`${one.url}/readyz`)).status).toBe(200);
  await one.stop();
  await expect(fetch(one.url)).rejects.toThrow('fetch failed');
  await append(700, 1_000);
  const two = await started();
  const last = await expectWhole(two.url);
  expect([...last].every(([partition, { size }]) => size > (first.get(partition)?.size ?? 0))).toBe(
    true,
  );
  const metrics = await (await fetch(`${two.url}/metrics`)).text();
  for (const [partition, { size }] of last)
    expect(metrics).toContain(
      `residency_ledger_size{topic="residency.audit",partition="${partition}"} ${size}\n`,
    );

  const directory = join(folder, 'ledgers');
  const inFolder = settingsOf({
    ...Object.fromEntries(
      Object.keys(env)
        .filter((name) => /LEDGER_(?!ORIGIN|KEY_FILE|INTERVAL)/.test(name))
        .map((name) => [name, undefined]),
    ),
    RESIDENCY_LEDGER_DIR: directory,
  });
  const three = await started(inFolder);
  // Its folder may be on a disk that is not mounted yet.
  await eventually(async () =>
    (await (await fetch(`${three.url}/readyz`)).text()).includes('LEDGER_UNREACHABLE')
      ? true
      : undefined,
  );
  await mkdir(directory);
  const other = await expectWhole(three.url);
  expect([...other.values()].map(({ root }) => Buffer.from(root))).toEqual(
    [...last.values()].map(({ root }) => Buffer.from(root)),
  );
  expect(await readFile(join(directory, '0', 'checkpoint'), 'utf8')).toMatch(
    /^audit\.example\/log-1\/0\n/,
  );
});

test('an invalid key prevents the start, and the message repeats nothing of the file', async () => {
  const settings = settingsOf();
  const error: unknown = await started({
    ...settings,
    auditing: { ...settings.auditing, signerKey: 'canary0canary' },
  }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'INVALID_KEY', remedy: 'stop' });
  expect(String(error)).not.toContain('canary');
});

test("a key that is not the ledger's ends it, and /livez reports that", async () => {
  await append(10);
  const one = await started();
  await expectWhole(one.url);
  await one.stop();
  const settings = settingsOf();
  const other = (await makeKey('audit.example', randomBytes(32), NOTE_SIGNATURE)).signerKey;
  const two = await started({
    ...settings,
    auditing: { ...settings.auditing, signerKey: other },
  });
  await expect(two.ended).rejects.toMatchObject({ code: 'LEDGER_KEY_UNKNOWN', remedy: 'stop' });
  expect((await fetch(`${two.url}/livez`)).status).toBe(503);
});

test('the custody log of each region has a ledger; a topic that is missing holds up its own alone, and is read once it is there', async () => {
  const settings = { ...settingsOf().kafka, clientId: 'test' };
  const topics = async (...regions: readonly string[]): Promise<void> => {
    await createTopics(
      settings,
      logger,
      topicPlan({ partitions: PARTITIONS, replicationFactor: 1, regions }),
    );
  };
  await topics('zurich');
  const { document } = readPolicy(await readFile(POLICY));
  await log.append([policyEntry(document, 'first')]);
  const events = someCustodyEvents(300);
  const custody = await log.custodyLog('zurich');
  await custody.append(events.slice(0, 200));
  await append(30);

  const one = await started();
  await expectWhole(one.url);
  const sizeOf = async (region: string): Promise<number | undefined> => {
    const topic = custodyTopic(region);
    const answer = await fetch(`${one.url}/ledger/${topic}/0/checkpoint`);
    if (answer.status !== 200) return undefined;
    const { key } = await openSignerKey(SECRET, `audit.example/log-1/${topic}/0`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return (await openCheckpoint(bytes, { keys: [key] })).checkpoint.size;
  };
  const reaches = async (region: string, size: number): Promise<void> => {
    await eventually(async () => ((await sizeOf(region)) === size ? true : undefined));
  };
  await reaches('zurich', 200);
  await custody.append(events.slice(200));
  await reaches('zurich', 300);
  await custody.close();
  const waiting = await (await fetch(`${one.url}/metrics`)).text();
  expect(waiting).toContain(
    'residency_ledger_blocked{topic="residency.custody.moscow",partition="0",code="TOPIC_MISSING"} 1',
  );
  expect((await fetch(`${one.url}/readyz`)).status).toBe(503);

  await topics('zurich', 'moscow');
  const moscow = await log.custodyLog('moscow');
  await moscow.append(someCustodyEvents(2, { region: 'moscow' }));
  await moscow.close();
  await reaches('moscow', 2);
  await eventually(async () =>
    (await fetch(`${one.url}/readyz`)).status === 200 ? true : undefined,
  );
  expect(await (await fetch(`${one.url}/metrics`)).text()).toContain(
    'residency_audit_findings_total{topic="residency.custody.zurich",kind="HOLE"} 0',
  );
});
