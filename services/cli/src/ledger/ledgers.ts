import { checkpointPath, isRecordLog, ledgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import type { CodedError } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { ReadLedgerFile, VerifierKey } from '@residency/ledger';
import type { NamedLedger } from './ledger-files.ts';

/** A log that has a ledger. */
export interface LedgeredLog extends TopicPartition {
  /** It has no record: nobody made its ledger yet. */
  readonly empty: boolean;
}

/**
 * The ledgers of a system: over each partition of the audit log, each region's custody log, and the
 * logs in which append time decides.
 */
export interface Ledgers {
  /** The audit log's partitions first, ascending. */
  readonly logs: readonly LedgeredLog[];
  /**
   * Which of a log's ledgers, counted from 1: as the key file says, and without one the
   * newest that has a checkpoint.
   */
  readonly generation: number;
  readonly store: Pick<LedgerStore, 'read'>;
  /** The place of the newest checkpoints; absent: not configured. */
  readonly kept?: Pick<LedgerStore, 'read'>;
  /** The error, if a key should be available and is lost. */
  readonly keyLost?: CodedError;
  /**
   * Of a log's ledger, by the key file that is at hand here, the one that signs first; empty:
   * there is none.
   */
  verifierKeys(of: TopicPartition): Promise<readonly VerifierKey[]>;
  /**
   * Makes the one secret that signs all of them. Throws `FILE_EXISTS`, and `LEDGER_KEY_LOST` where
   * it would sign over what another signed.
   */
  makeKey(): Promise<void>;
}

export function readOf(
  { store, generation }: Pick<Ledgers, 'store' | 'generation'>,
  of: TopicPartition,
): ReadLedgerFile {
  return (path) => store.read(ledgerPath(of, path, generation));
}

/** Reads it first of all: it is kept before it is published. */
export async function keptOf(
  { kept, generation }: Pick<Ledgers, 'kept' | 'generation'>,
  of: TopicPartition,
): Promise<Uint8Array | undefined> {
  return await kept?.read(checkpointPath(of, generation));
}

/** `partition 3` of the audit log; else the topic. */
export function ledgerName({ topic, partition }: TopicPartition): string {
  return topic === TOPICS.audit ? `partition ${partition}` : topic;
}

/** A command may append to a log before the first auditor or router signs anything. */
function whyMissing(
  ledgers: Ledgers,
  { empty, topic }: LedgeredLog,
  kept: Uint8Array | undefined,
): string | undefined {
  if (kept !== undefined) return undefined;
  if (empty) return 'its log has no event';
  return ledgers.kept !== undefined && isRecordLog(topic)
    ? 'no checkpoint of it is kept'
    : undefined;
}

/** Each by its name, with the keys at hand. */
export async function namedLedgers(ledgers: Ledgers): Promise<readonly NamedLedger[]> {
  return await Promise.all(
    ledgers.logs.map(async (of) => {
      const kept = await keptOf(ledgers, of);
      return {
        name: ledgerName(of),
        read: readOf(ledgers, of),
        keys: await ledgers.verifierKeys(of),
        ...defined({ kept, keyLost: ledgers.keyLost, mayBeMissing: whyMissing(ledgers, of, kept) }),
        compares: ledgers.kept !== undefined,
      };
    }),
  );
}
