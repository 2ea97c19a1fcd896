import { ReplayDigest } from '@residency/auditing';
import type { PartitionDigest } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import type { LogRecord } from '@residency/contracts';
import { compareLedgers } from '@residency/reconciliation';
import type { LedgerComparison, LedgerView } from '@residency/reconciliation';
import { interruptible } from './interruptible.ts';
import { readOf } from './ledgers.ts';
import type { Ledgers } from './ledgers.ts';
import type { Session } from './session.ts';
import type { System } from './system.ts';

/** The audit log compared with its ledgers, and named on the way. */
export interface LedgerCheck extends LedgerComparison {
  /** The replay digest of what was compared. */
  readonly digest: string;
  readonly partitions: readonly PartitionDigest[];
  /** Partitions whose checkpoint's signature was not looked at, because no key is at hand. */
  readonly unsigned: readonly number[];
  /** Why no ledger was asked at all. */
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

/** A system whose settings name no ledger is compared without, and the report says so. */
async function ledgersOf(system: System): Promise<Ledgers | undefined> {
  try {
    return await system.ledgers();
  } catch (error) {
    if (codeOf(error) !== 'CONFIGURATION_INVALID') throw error;
    return undefined;
  }
}

async function viewOf(ledgers: Ledgers, partition: number): Promise<LedgerView> {
  const key = await ledgers.verifierKey(partition);
  return {
    partition,
    read: readOf(ledgers, partition),
    ...(key === undefined ? {} : { trust: { keys: [key] } }),
  };
}
