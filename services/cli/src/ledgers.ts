import { ledgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import type { ReadLedgerFile, VerifierKey } from '@residency/ledger';
import type { NamedLedger } from './ledger-files.ts';

/** The ledgers of a system's audit log, one for each of its partitions. */
export interface Ledgers {
  readonly partitions: readonly number[];
  /** Those of them whose audit log has no record: nobody made their ledger yet. */
  readonly empty: ReadonlySet<number>;
  readonly store: Pick<LedgerStore, 'read'>;
  /** Of a partition's ledger, by the key that is at hand here; `undefined`: there is none. */
  verifierKey(partition: number): Promise<VerifierKey | undefined>;
  /** Makes the one secret that signs all of them. Throws `FILE_EXISTS`. */
  makeKey(): Promise<void>;
}

export function readOf({ store }: Pick<Ledgers, 'store'>, partition: number): ReadLedgerFile {
  return (path) => store.read(ledgerPath(partition, path));
}

/** Each by the name that its partition gives it, with the keys at hand. */
export async function namedLedgers(ledgers: Ledgers): Promise<readonly NamedLedger[]> {
  return await Promise.all(
    ledgers.partitions.map(async (partition) => {
      const key = await ledgers.verifierKey(partition);
      return {
        name: `partition ${partition}`,
        read: readOf(ledgers, partition),
        keys: key === undefined ? [] : [key],
        mayBeMissing: ledgers.empty.has(partition),
      };
    }),
  );
}
