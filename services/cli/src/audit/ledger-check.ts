import { ReplayDigest } from '@residency/auditing';
import type { PartitionDigest } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import type { CodedError } from '@residency/coded-error';
import type { LogRecord } from '@residency/contracts';
import { defined } from '@residency/defined';
import { compareLedgers } from '@residency/reconciliation';
import type { LedgerComparison, LedgerView } from '@residency/reconciliation';
import { interruptible } from '../terminal/interruptible.ts';
import { keptOf, readOf } from '../ledger/ledgers.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';

/** The comparison of the audit log with its ledgers, and the digest of the compared events. */
export interface LedgerCheck extends LedgerComparison {
  /** The replay digest of the compared events. */
  readonly digest: string;
  readonly partitions: readonly PartitionDigest[];
  /** Partitions whose checkpoint's signature was not verified, because no key is available. */
  readonly unsigned: readonly number[];
  /** The error, if a key should be available and is lost. */
  readonly keyLost?: CodedError;
  /** Partitions without a kept checkpoint, or whose place is not configured. */
  readonly unkept: readonly number[];
  /** Why no ledger was compared at all. */
  readonly unasked?: string;
}

export async function checkLedgers(session: Session, system: System): Promise<LedgerCheck> {
  const ledgers = await ledgersOf(system);
  const views =
    ledgers === undefined
      ? []
      : await Promise.all(ledgers.partitions.map((partition) => viewOf(ledgers, partition)));
  const digest = new ReplayDigest();
  const comparison = await compareLedgers(
    named(interruptible(session, system.auditLog()), digest),
    views,
  );
  return {
    ...comparison,
    digest: digest.digest(),
    partitions: digest.partitions(),
    unsigned: views
      .filter(
        ({ trust, partition }) =>
          trust === undefined && comparison.ledgers.some((one) => one.partition === partition),
      )
      .map(({ partition }) => partition),
    unkept: views
      .filter(({ kept }) => kept === undefined)
      .map(({ partition }) => partition)
      .filter((partition) => comparison.ledgers.some((one) => one.partition === partition)),
    ...(ledgers?.keyLost === undefined ? {} : { keyLost: ledgers.keyLost }),
    ...(ledgers === undefined ? { unasked: 'the settings do not say where it is' } : {}),
  };
}

async function* named(
  records: AsyncIterable<LogRecord>,
  digest: ReplayDigest,
): AsyncGenerator<LogRecord> {
  for await (const record of records) {
    digest.add(record.partition, record.value ?? Buffer.alloc(0));
    yield record;
  }
}

/** If the settings name no ledger, nothing is compared, and the report says so. */
async function ledgersOf(system: System): Promise<Ledgers | undefined> {
  try {
    return await system.ledgers();
  } catch (error) {
    if (codeOf(error) !== 'CONFIGURATION_INVALID') throw error;
    return undefined;
  }
}

async function viewOf(ledgers: Ledgers, partition: number): Promise<LedgerView> {
  const kept = await keptOf(ledgers, partition);
  const keys = await ledgers.verifierKeys(partition);
  return {
    partition,
    read: readOf(ledgers, partition),
    ...(keys.length === 0 ? {} : { trust: { keys } }),
    ...defined({ kept }),
    ...(ledgers.generation === 1 ? {} : { successor: true }),
  };
}
