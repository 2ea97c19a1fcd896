import { ledgerOrigin } from '@residency/auditing';
import type { TopicPartition } from '@residency/contracts';
import { openLedgerKeys, verifierKeysOf } from '@residency/ledger';
import {
  LEDGER_PREFIX,
  bringLedgersUpToDate,
  checkEmbeddedLedgers,
  embeddedStores,
  ledgerKeyFile,
  ledgerKeyLost,
  ledgeredLogs,
  lockRouting,
  makeLedgerPlaces,
  newSecret,
} from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { CliError } from '../terminal/cli-error.ts';
import { newestGeneration } from './ledger-keeping.ts';
import type { LedgerKeeping } from './ledger-keeping.ts';
import type { Ledgers } from './ledgers.ts';

type Data = Pick<DataDirectory, 'path' | 'log' | 'checkpoints'>;

/** A data directory's ledgers. Nothing is made by asking. */
export async function embeddedLedgers(data: Data): Promise<Ledgers> {
  const { store, kept } = embeddedStores(data);
  const file = await ledgerKeyFile(data).read();
  const logs = await Promise.all(
    (await ledgeredLogs(data)).map(async (of) => ({
      ...of,
      empty: await isEmpty(data, of),
    })),
  );
  const generation = file?.generation ?? (await newestGeneration({ logs, store, kept }));
  return {
    logs,
    generation,
    store,
    kept,
    ...(file === undefined ? { keyLost: ledgerKeyLost(data) } : {}),
    verifierKeys: async (of) =>
      file === undefined
        ? []
        : verifierKeysOf(
            await openLedgerKeys(file, ledgerOrigin(LEDGER_PREFIX, data.log.name, of, generation)),
          ),
    makeKey: () => {
      // It was made with the directory.
      throw file === undefined
        ? ledgerKeyLost(data)
        : new CliError({
            code: 'FILE_EXISTS',
            message:
              'Expected no ledger key yet, found the one that was made with the data directory; nothing is overwritten. To change it: residency audit key rotate.',
            remedy: 'stop',
          });
    },
  };
}

/** The opening of a custody log takes an offset, and is no record. */
async function isEmpty({ log }: Data, { topic }: TopicPartition): Promise<boolean> {
  for await (const _ of log.read(topic, { maxRecords: 1 })) return false;
  return true;
}

/** Under the routing lock: nobody else publishes. */
export async function keepEmbeddedLedger<T>(
  data: DataDirectory,
  work: (keeping: LedgerKeeping) => Promise<T>,
): Promise<T> {
  const lock = await lockRouting(data);
  const { signal } = new AbortController();
  try {
    await makeLedgerPlaces(data);
    const file = ledgerKeyFile(data);
    return await work({
      ...embeddedStores(data),
      logs: await ledgeredLogs(data),
      newSecret,
      readKeys: () => file.read(),
      replaceKeys: (keys) => file.replace(keys),
      originOf: (of, generation) => ledgerOrigin(LEDGER_PREFIX, data.log.name, of, generation),
      grow: () => bringLedgersUpToDate(data, { signal }),
      check: async () => {
        await checkEmbeddedLedgers(data, signal);
      },
      keyLost: () => ledgerKeyLost(data),
    });
  } finally {
    await lock.release();
  }
}
