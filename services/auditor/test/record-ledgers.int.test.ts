import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createTopics, openKafkaLog, topicPlan } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RECORD_LOGS, fsck, kindOf, ledgerPath } from '@residency/auditing';
import { configurationOf } from '@residency/configuration';
import {
  ROUTING_RESUMED,
  TOPICS,
  consentCloudEvent,
  consentEntry,
  consentTick,
  controlEntry,
  policyEntry,
  policyTick,
  readPolicy,
} from '@residency/contracts';
import type { LogEntry, LogRecord } from '@residency/contracts';
import {
  EMPTY_LEDGER,
  NOTE_SIGNATURE,
  growth,
  makeKey,
  parseCheckpoint,
  parseNote,
} from '@residency/ledger';
import { createLogger, createMetrics } from '@residency/telemetry';
import { eventually } from '@residency/testkit';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openStack } from '../../../test/stack/index.ts';
import type { OwnStack } from '../../../test/stack/index.ts';
import { startAuditor } from '../src/start-auditor.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SECRET = (await makeKey('audit.example', randomBytes(32), NOTE_SIGNATURE)).signerKey;
const PLAN = topicPlan({ partitions: 1, replicationFactor: 1, regions: ['zurich', 'moscow'] });
const logger = createLogger({ level: 'silent' });
let stack: OwnStack;
let log: KafkaLog;
let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  stack = await openStack({
    brokers: 1,
    kafkaSettings: { 'log.cleaner.backoff.ms': '100', 'log.initial.task.delay.ms': '100' },
  });
  folder = await mkdtemp(join(tmpdir(), 'residency-auditor-'));
  for (const name of ['kept', 'ledger']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'key'), `${SECRET}\n`, { mode: 0o600 });
  log = await openKafkaLog(settings(), logger);
  await createTopics(settings(), logger, PLAN);
  env = {
    RESIDENCY_LOG: 'log-1',
    RESIDENCY_KAFKA_BROKERS: stack.kafka.brokers.join(','),
    RESIDENCY_KAFKA_CLUSTER_ID: log.clusterId,
    RESIDENCY_HTTP_PORT: '0',
    RESIDENCY_LEDGER_ORIGIN: 'audit.example',
    RESIDENCY_LEDGER_KEY_FILE: join(folder, 'key'),
    RESIDENCY_CHECKPOINTS_DIR: join(folder, 'kept'),
    RESIDENCY_LEDGER_INTERVAL_MS: '100',
    RESIDENCY_LEDGER_DIR: join(folder, 'ledger'),
  };
});
afterEach(async () => {
  await log.close();
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

function settings() {
  return { brokers: stack.kafka.brokers, clientId: 'test', log: 'log-1', topicPrefix: '' };
}

function auditorProcess(): ChildProcess {
  const child = spawn(process.execPath, ['services/auditor/src/main.ts'], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

const salt = (): string => randomBytes(16).toString('hex');
const consent = (nth: number): LogEntry =>
  consentEntry(
    consentCloudEvent(
      { kind: 'withdrawn', consentId: `consent-000${nth}` },
      { id: `e-${nth}`, source: 'urn:test' },
    ),
    salt(),
  );
const resumed = (): LogEntry => controlEntry({ type: ROUTING_RESUMED, data: {} }, salt(), salt());
const ticks = (count: number): LogEntry[] =>
  Array.from({ length: count }, (_, nth) => [policyTick(`${nth}`), consentTick(`${nth}`)]).flat();

async function recordsOf(topic: LogRecord['topic']): Promise<LogRecord[]> {
  return await Array.fromAsync(
    log.read(topic as (typeof TOPICS)['policy'], {
      until: 'end',
      signal: AbortSignal.timeout(60_000),
    }),
  );
}

/** Size and root of the tree over these records, but for ticks. */
function treeOf(topic: string, records: readonly LogRecord[]): string {
  const leaves = records.flatMap((record) => kindOf(topic).leafOf(record) ?? []);
  const { root, state } = growth(EMPTY_LEDGER, leaves);
  return `${state.size} ${Buffer.from(root).toString('base64')}`;
}

async function signedTree(topic: (typeof TOPICS)['policy']): Promise<string | undefined> {
  try {
    const note = await readFile(
      join(folder, 'ledger', ledgerPath({ topic, partition: 0 }, 'checkpoint')),
    );
    const { size, root } = parseCheckpoint(parseNote(note).text);
    return `${size} ${Buffer.from(root).toString('base64')}`;
  } catch {
    return undefined;
  }
}

const ofRecords = RECORD_LOGS.map(({ topic }) => topic as (typeof TOPICS)['policy']);

async function expectSigned(expected: ReadonlyMap<string, string>): Promise<void> {
  for (const topic of ofRecords)
    await eventually(async () => {
      return (await signedTree(topic)) === expected.get(topic) ? true : undefined;
    });
}

async function alter(topic: string, ...entries: readonly string[]): Promise<void> {
  await run(process.execPath, [
    join(ROOT, 'packages/adapter-kafka/test/alter-topic.ts'),
    JSON.stringify(settings()),
    topic,
    ...entries,
  ]);
}

const EAGER = [
  'cleanup.policy=compact',
  'message.timestamp.type=LogAppendTime',
  'segment.ms=200',
  'min.cleanable.dirty.ratio=0.001',
  'delete.retention.ms=0',
  'min.compaction.lag.ms=0',
  'max.compaction.lag.ms=200',
];

test('an auditor that was killed, and found the ticks and a record with a repeated key compacted away, signs the tree over everything there ever was', async () => {
  const { document } = readPolicy(await readFile(join(ROOT, 'policy/residency-1.json')));
  const repeated = consent(1);
  await log.append([...ticks(2), policyEntry(document, 'first'), repeated, resumed(), ...ticks(2)]);
  await log.append([consent(2), ...ticks(2), resumed()]);
  const first = auditorProcess();
  await expectSigned(
    new Map(
      await Promise.all(
        ofRecords.map(async (topic) => [topic, treeOf(topic, await recordsOf(topic))] as const),
      ),
    ),
  );
  first.kill('SIGKILL');
  await once(first, 'exit');

  await log.append([
    ...ticks(2),
    repeated,
    ...ticks(1),
    consent(3),
    policyEntry(document, 'second'),
  ]);
  const expected = new Map(
    await Promise.all(
      ofRecords.map(async (topic) => [topic, treeOf(topic, await recordsOf(topic))] as const),
    ),
  );
  for (const topic of [TOPICS.policy, TOPICS.consents]) {
    await alter(topic, ...EAGER);
    // Only a segment that a later record closed is compacted.
    await eventually(async () => {
      await sleep(300);
      await log.append(ticks(1));
      const left = (await recordsOf(topic)).map(({ key }) => String(key));
      return left.filter((key) => key === 'tick').length <= 3 &&
        new Set(left).size >= left.length - 2
        ? true
        : undefined;
    });
    await alter(
      topic,
      ...(PLAN.find((planned) => planned.topic === topic)?.settings ?? []).map(
        ({ name, value }) => `${name}=${value}`,
      ),
    );
  }
  const left = await recordsOf(TOPICS.consents);
  expect(
    left.filter(({ key }) => key?.equals(repeated.record.key ?? Buffer.alloc(0))),
  ).toHaveLength(1);

  const auditor = await startAuditor({
    settings: configurationOf(['kafka', 'ledger', 'checkpoints', 'auditing', 'http', 'telemetry'], {
      env,
      readFile: () => SECRET,
    }),
    logger,
    metrics: createMetrics({ service: 'auditor', version: 'test', now: Date.now }),
    now: () => performance.now(),
    holdMs: 0,
  });
  try {
    await expectSigned(expected);
    await eventually(async () =>
      (await fetch(`${auditor.url}/readyz`)).status === 200 ? true : undefined,
    );
    const metrics = await (await fetch(`${auditor.url}/metrics`)).text();
    expect(metrics).toMatch(
      /^residency_audit_findings_total\{topic="threat.consents",kind="MISSING"[^}]*\} 1$/m,
    );
    expect(metrics).toMatch(
      /^residency_audit_findings_total\{topic="residency.policy",kind="MISSING"[^}]*\} 0$/m,
    );
    expect(metrics).toMatch(/^residency_ledger_size\{topic="residency.control"[^}]*\} 2$/m);
    for (const of of RECORD_LOGS) {
      const report = await fsck(async (path) => {
        const answer = await fetch(`${auditor.url}/ledger/${of.topic}/0/${path}`);
        return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : undefined;
      });
      expect([report.fault, report.entryFaults.total]).toEqual([undefined, 0]);
    }
  } finally {
    await auditor.stop();
  }
});
