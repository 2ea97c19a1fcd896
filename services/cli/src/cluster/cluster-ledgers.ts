import { basename, dirname } from 'node:path';
import { StateFile } from '@residency/adapter-filesystem';
import type { KafkaLog } from '@residency/adapter-kafka';
import {
  RECORD_LOGS,
  checkpointPath,
  custodyLogsOf,
  isRecordLog,
  kindOf,
  ledgerOrigin,
  logText,
} from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatKeyFile, openLedgerKeys, parseKeyFile, verifierKeysOf } from '@residency/ledger';
import type { KeyFile } from '@residency/ledger';
import type { PolicyPublished } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import { ledgerKeyLost, newLedgerSecret, readKeyFile } from '../ledger/ledger-key.ts';
import { newestGeneration } from '../ledger/ledger-keeping.ts';
import type { LedgerKeeping } from '../ledger/ledger-keeping.ts';
import type { LedgeredLog, Ledgers } from '../ledger/ledgers.ts';
import { writeNewFile } from '../terminal/write-new-file.ts';
import type { Cluster } from './cluster.ts';

const KEY_FILE = 'RESIDENCY_LEDGER_KEY_FILE';

/** A cluster's ledgers, from the place that its auditors write to, with the configured key. */
export async function clusterLedgers(
  cluster: Cluster,
  policies: readonly PolicyPublished[],
): Promise<Ledgers> {
  const { origin: prefix } = cluster.settings('ledger');
  const log = await cluster.log();
  const logs = await logsOf(log, policies);
  const path = cluster.variable(KEY_FILE);
  const file = path === undefined ? undefined : await readKeyFile(path);
  const [store, kept] = [cluster.ledgerStore(), cluster.keptCheckpoints()];
  const generation = file?.generation ?? (await newestGeneration({ logs, store, kept }));
  return {
    logs,
    generation,
    store,
    ...defined({ kept }),
    verifierKeys: async (of) =>
      file === undefined
        ? []
        : verifierKeysOf(
            await openLedgerKeys(file, ledgerOrigin(prefix, log.name, of, generation)),
          ),
    makeKey: async () => {
      if (path === undefined) throw keyFileNeeded();
      if (file === undefined) await requireNothingSigned({ logs, store, kept });
      const secret = formatKeyFile({
        generation: 1,
        secrets: [await newLedgerSecret(prefix)],
        former: [],
      });
      await writeNewFile(path, Buffer.from(secret), "the ledger's key file");
    },
  };
}

/** Each partition of the audit log, the custody logs of all regions, and the record logs. */
async function logsOf(
  log: Pick<KafkaLog, 'ahead' | 'ends' | 'read' | 'starts'>,
  policies: readonly PolicyPublished[],
): Promise<readonly LedgeredLog[]> {
  const audit = [...(await log.ends(TOPICS.audit))]
    .map(([partition, end]) => ({ topic: TOPICS.audit, partition, empty: end === 0n }))
    .sort((a, b) => a.partition - b.partition);
  const custody = custodyLogsOf(policies).map(async (of) => ({
    ...of,
    empty: await isEmpty(log, of),
  }));
  const records = RECORD_LOGS.map(async (of) => ({ ...of, empty: await isEmpty(log, of) }));
  return [...audit, ...(await Promise.all([...custody, ...records]))];
}

/** A topic that was not made yet has no record either. */
async function isEmpty(
  log: Pick<KafkaLog, 'ahead' | 'read' | 'starts'>,
  { topic, partition }: TopicPartition,
): Promise<boolean> {
  try {
    if (isRecordLog(topic)) {
      for await (const record of log.read(topic, { until: 'end' }))
        if (kindOf(topic).leafOf(record) !== undefined) return false;
      return true;
    }
    const start = (await log.starts(topic)).get(partition) ?? 0n;
    // Markers of aborted transactions take offsets, and are no records.
    return (await log.ahead(topic, partition, start)).first === undefined;
  } catch (error) {
    if (!hasCode(error, 'TOPIC_MISSING')) throw error;
    return true;
  }
}

type Reads = Pick<LedgerStore, 'read'>;

/** Throws if something was signed already: a key must be created before the first event. */
async function requireNothingSigned({
  logs,
  store,
  kept,
}: {
  readonly logs: readonly LedgeredLog[];
  readonly store: Reads;
  readonly kept: Reads | undefined;
}): Promise<void> {
  for (const of of logs) {
    // A policy is published, and acts are recorded, before there is a key.
    if (!of.empty && !isRecordLog(of.topic)) throw ledgerKeyLost(`events in ${logText(of)}`);
    if ((await store.read(checkpointPath(of))) !== undefined)
      throw ledgerKeyLost("a checkpoint in the ledgers' store");
    if ((await kept?.read(checkpointPath(of))) !== undefined)
      throw ledgerKeyLost('a checkpoint that is kept apart');
  }
}

/**
 * For commands that change keys. Running auditors may publish meanwhile. They read a changed key
 * file at their next start.
 */
export async function keepClusterLedgers<T>(
  cluster: Cluster,
  policies: readonly PolicyPublished[],
  work: (keeping: LedgerKeeping) => Promise<T>,
): Promise<T> {
  const { origin: prefix } = cluster.settings('ledger');
  const path = cluster.variable(KEY_FILE);
  if (path === undefined) throw keyFileNeeded();
  const log = await cluster.log();
  const state = new StateFile(dirname(path), basename(path));
  return await work({
    logs: await logsOf(log, policies),
    store: cluster.writableLedgers(),
    kept: await cluster.writableCheckpoints(),
    readKeys: () => keysIn(state),
    replaceKeys: (file) => state.replace(Buffer.from(formatKeyFile(file))),
    newSecret: () => newLedgerSecret(prefix),
    originOf: (of, generation) => ledgerOrigin(prefix, log.name, of, generation),
    // The auditors grow them.
    grow: () => Promise.resolve(),
    check: () =>
      Promise.reject(
        new CliError({
          code: 'NOT_THERE',
          message: 'Expected an auditor to compare ledger and log; this command does not.',
          remedy: 'stop',
        }),
      ),
    keyLost: () => ledgerKeyLost('ledgers that are to go on'),
  });
}

async function keysIn(state: StateFile): Promise<KeyFile | undefined> {
  const bytes = await state.read();
  return bytes === undefined ? undefined : parseKeyFile(bytes.toString('utf8'));
}

function keyFileNeeded(): CliError {
  return new CliError({
    code: 'CONFIGURATION_INCOMPLETE',
    message: `Expected ${KEY_FILE} to name the file of the ledgers' key, found nothing; set it.`,
    remedy: 'stop',
  });
}
