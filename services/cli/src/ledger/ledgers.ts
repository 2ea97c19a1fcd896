import { checkpointPath, ledgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import type { CodedError } from '@residency/coded-error';
import { defined } from '@residency/defined';
import type { ReadLedgerFile, VerifierKey } from '@residency/ledger';
import type { NamedLedger } from './ledger-files.ts';

/** The ledgers of a system's audit log, one for each of its partitions. */
export interface Ledgers {
  readonly partitions: readonly number[];
  /** Those of them whose audit log has no record: nobody made their ledger yet. */
  readonly empty: ReadonlySet<number>;
  /**
   * Which of a partition's ledgers, counted from 1: as the key file says, and without one the
   * newest that has a checkpoint.
   */
  readonly generation: number;
  readonly store: Pick<LedgerStore, 'read'>;
  /** The place of the newest checkpoints; absent: not configured. */
  readonly kept?: Pick<LedgerStore, 'read'>;
  /** The error, if a key should be available and is lost. */
  readonly keyLost?: CodedError;
  /**
   * Of a partition's ledger, by the key file that is at hand here, the one that signs first; empty:
   * there is none.
   */
  verifierKeys(partition: number): Promise<readonly VerifierKey[]>;
  /**
   * Makes the one secret that signs all of them. Throws `FILE_EXISTS`, and `LEDGER_KEY_LOST` where
   * it would sign over what another signed.
   */
  makeKey(): Promise<void>;
}

export function readOf(
  { store, generation }: Pick<Ledgers, 'store' | 'generation'>,
  partition: number,
): ReadLedgerFile {
  return (path) => store.read(ledgerPath(partition, path, generation));
}

/** Reads it first of all: it is kept before it is published. */
export async function keptOf(
  { kept, generation }: Pick<Ledgers, 'kept' | 'generation'>,
  partition: number,
): Promise<Uint8Array | undefined> {
  return await kept?.read(checkpointPath(partition, generation));
}

/** Each by the name that its partition gives it, with the keys at hand. */
export async function namedLedgers(ledgers: Ledgers): Promise<readonly NamedLedger[]> {
  return await Promise.all(
    ledgers.partitions.map(async (partition) => {
      const kept = await keptOf(ledgers, partition);
      return {
        name: `partition ${partition}`,
        read: readOf(ledgers, partition),
        keys: await ledgers.verifierKeys(partition),
        mayBeMissing: ledgers.empty.has(partition) && kept === undefined,
        ...defined({ kept, keyLost: ledgers.keyLost }),
        compares: ledgers.kept !== undefined,
      };
    }),
  );
}
