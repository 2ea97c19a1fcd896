import { basename, dirname } from 'node:path';
import { StateFile } from '@residency/adapter-filesystem';
import { checkpointPath, ledgerOrigin } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { TOPICS } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatKeyFile, openLedgerKeys, parseKeyFile } from '@residency/ledger';
import type { KeyFile } from '@residency/ledger';
import { CliError } from '../terminal/cli-error.ts';
import { verifierKeysOf } from '../ledger/embedded-ledgers.ts';
import { ledgerKeyLost, newLedgerSecret, readKeyFile } from '../ledger/ledger-key.ts';
import { newestGeneration } from '../ledger/ledger-keeping.ts';
import type { LedgerKeeping } from '../ledger/ledger-keeping.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import { writeNewFile } from '../terminal/write-new-file.ts';
import type { Cluster } from './cluster.ts';

const KEY_FILE = 'RESIDENCY_LEDGER_KEY_FILE';

/** A cluster's ledgers, from the place that its auditors write to, with the configured key. */
export async function clusterLedgers(cluster: Cluster): Promise<Ledgers> {
  const { origin: prefix } = cluster.settings('ledger');
  const log = await cluster.log();
  const ends = [...(await log.ends(TOPICS.audit))];
  const partitions = partitionsOf(ends);
  const path = cluster.variable(KEY_FILE);
  const file = path === undefined ? undefined : await readKeyFile(path);
  const [store, kept] = [cluster.ledgerStore(), cluster.keptCheckpoints()];
  const generation = file?.generation ?? (await newestGeneration({ partitions, store, kept }));
  return {
    partitions,
    generation,
    store,
    ...defined({ kept }),
    empty: new Set(ends.filter(([, end]) => end === 0n).map(([partition]) => partition)),
    verifierKeys: async (partition) =>
      file === undefined
        ? []
        : verifierKeysOf(
            await openLedgerKeys(file, ledgerOrigin(prefix, log.name, partition, generation)),
          ),
    makeKey: async () => {
      if (path === undefined) throw keyFileNeeded();
      if (file === undefined) await requireNothingSigned({ ends, store, kept });
      const secret = formatKeyFile({
        generation: 1,
        secrets: [await newLedgerSecret(prefix)],
        former: [],
      });
      await writeNewFile(path, Buffer.from(secret), "the ledger's key file");
    },
  };
}

function partitionsOf(ends: readonly (readonly [number, bigint])[]): readonly number[] {
  return ends.map(([partition]) => partition).sort((a, b) => a - b);
}

type Reads = Pick<LedgerStore, 'read'>;

/** Throws if something was signed already: a key must be created before the first event. */
async function requireNothingSigned({
  ends,
  store,
  kept,
}: {
  readonly ends: readonly (readonly [number, bigint])[];
  readonly store: Reads;
  readonly kept: Reads | undefined;
}): Promise<void> {
  if (ends.some(([, end]) => end > 0n)) throw ledgerKeyLost('events in the audit log');
  for (const partition of partitionsOf(ends)) {
    if ((await store.read(checkpointPath(partition))) !== undefined)
      throw ledgerKeyLost("a checkpoint in the ledgers' store");
    if ((await kept?.read(checkpointPath(partition))) !== undefined)
      throw ledgerKeyLost('a checkpoint that is kept apart');
  }
}

/**
 * For commands that change keys. Running auditors may publish meanwhile. They read a changed key
 * file at their next start.
 */
export async function keepClusterLedgers<T>(
  cluster: Cluster,
  work: (keeping: LedgerKeeping) => Promise<T>,
): Promise<T> {
  const { origin: prefix } = cluster.settings('ledger');
  const path = cluster.variable(KEY_FILE);
  if (path === undefined) throw keyFileNeeded();
  const log = await cluster.log();
  const state = new StateFile(dirname(path), basename(path));
  return await work({
    partitions: partitionsOf([...(await log.ends(TOPICS.audit))]),
    store: cluster.writableLedgers(),
    kept: await cluster.writableCheckpoints(),
    readKeys: () => keysIn(state),
    replaceKeys: (file) => state.replace(Buffer.from(formatKeyFile(file))),
    newSecret: () => newLedgerSecret(prefix),
    originOf: (partition, generation) => ledgerOrigin(prefix, log.name, partition, generation),
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
