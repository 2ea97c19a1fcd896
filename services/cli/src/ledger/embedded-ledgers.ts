import { ledgerOrigin } from '@residency/auditing';
import { TOPICS } from '@residency/contracts';
import { openLedgerKeys } from '@residency/ledger';
import type { LedgerKeys, VerifierKey } from '@residency/ledger';
import {
  LEDGER_PREFIX,
  bringLedgerUpToDate,
  checkEmbeddedLedger,
  embeddedStores,
  ledgerKeyFile,
  ledgerKeyLost,
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

/** A data directory's one ledger. Nothing is made by asking. */
export async function embeddedLedgers(data: Data): Promise<Ledgers> {
  const { store, kept } = embeddedStores(data);
  const file = await ledgerKeyFile(data).read();
  const generation = file?.generation ?? (await newestGeneration({ partitions: [0], store, kept }));
  return {
    partitions: [0],
    empty: new Set((await data.log.end(TOPICS.audit)) === 0n ? [0] : []),
    generation,
    store,
    kept,
    ...(file === undefined ? { keyLost: ledgerKeyLost(data) } : {}),
    verifierKeys: async () =>
      file === undefined
        ? []
        : verifierKeysOf(
            await openLedgerKeys(file, ledgerOrigin(LEDGER_PREFIX, data.log.name, 0, generation)),
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

/** The one that signs first. */
export function verifierKeysOf({ signer, cosigner, former }: LedgerKeys): readonly VerifierKey[] {
  return [signer.key, ...(cosigner === undefined ? [] : [cosigner.key]), ...former.toReversed()];
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
      partitions: [0],
      newSecret,
      readKeys: () => file.read(),
      replaceKeys: (keys) => file.replace(keys),
      originOf: (partition, generation) =>
        ledgerOrigin(LEDGER_PREFIX, data.log.name, partition, generation),
      grow: () => bringLedgerUpToDate(data, { signal }),
      check: async () => {
        await checkEmbeddedLedger(data, signal);
      },
      keyLost: () => ledgerKeyLost(data),
    });
  } finally {
    await lock.release();
  }
}
