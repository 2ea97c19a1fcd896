import { ReplayDigest, isRecordLog } from '@residency/auditing';
import type { PartitionDigest, RecordTopic } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import type { CodedError } from '@residency/coded-error';
import { TOPICS, regionOfCustody } from '@residency/contracts';
import type { LogRecord, TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { compareLedgers } from '@residency/reconciliation';
import type { LedgerComparison, LedgerView } from '@residency/reconciliation';
import { interruptible } from '../terminal/interruptible.ts';
import { keptOf, ledgerName, readOf } from '../ledger/ledgers.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';

/** The comparison of the logs with their ledgers, and the digest of the compared audit events. */
export interface LedgerCheck extends LedgerComparison {
  /** The replay digest of the compared audit events. */
  readonly digest: string;
  readonly partitions: readonly PartitionDigest[];
  /** The ledgers whose checkpoint's signature was not verified, because no key is available. */
  readonly unsigned: readonly string[];
  /** The error, if a key should be available and is lost. */
  readonly keyLost?: CodedError;
  /** The ledgers without a kept checkpoint, or whose place is not configured. */
  readonly unkept: readonly string[];
  /** Why no ledger was compared at all. */
  readonly unasked?: string;
}

export async function checkLedgers(session: Session, system: System): Promise<LedgerCheck> {
  const ledgers = await ledgersOf(system);
  const views =
    ledgers === undefined ? [] : await Promise.all(ledgers.logs.map((of) => viewOf(ledgers, of)));
  const digest = new ReplayDigest();
  const comparison = await compareLedgers(recordsOf(session, system, digest, views), views);
  const wasCompared = ({ topic, partition }: TopicPartition): boolean =>
    comparison.ledgers.some((one) => one.topic === topic && one.partition === partition);
  return {
    ...comparison,
    digest: digest.digest(),
    partitions: digest.partitions(),
    unsigned: views.filter(({ trust, of }) => trust === undefined && wasCompared(of)).map(nameOf),
    unkept: views.filter(({ kept, of }) => kept === undefined && wasCompared(of)).map(nameOf),
    ...(ledgers?.keyLost === undefined ? {} : { keyLost: ledgers.keyLost }),
    ...(ledgers === undefined ? { unasked: 'the settings do not say where it is' } : {}),
  };
}

function nameOf({ of }: LedgerView): string {
  return ledgerName(of);
}

async function* recordsOf(
  session: Session,
  system: System,
  digest: ReplayDigest,
  views: readonly LedgerView[],
): AsyncGenerator<LogRecord> {
  for await (const record of interruptible(session, system.auditLog())) {
    digest.add(record.partition, record.value ?? Buffer.alloc(0));
    yield record;
  }
  for (const { of } of views) {
    const region = regionOfCustody(of.topic);
    if (region !== undefined) yield* interruptible(session, system.custodyLog(region));
  }
  yield* recordLogs(session, system, views);
}

async function* recordLogs(
  session: Session,
  system: System,
  views: readonly LedgerView[],
): AsyncGenerator<LogRecord> {
  for (const { of } of views) {
    if (isRecordLog(of.topic)) yield* interruptible(session, recordLog(system, of.topic));
  }
}

/** A log whose records are leaves with append time and offset. */
export function recordLog(system: System, topic: RecordTopic): AsyncIterable<LogRecord> {
  switch (topic) {
    case TOPICS.policy:
      return system.policyLog();
    case TOPICS.control:
      return system.controlLog();
    case TOPICS.consents:
      return system.consentLog();
    default:
      return topic satisfies never;
  }
}

/**
 * Compares the logs in which append time decides with their ledgers. `undefined`: the settings name
 * no ledger.
 */
export async function checkRecordLogs(
  session: Session,
  system: System,
): Promise<LedgerComparison | undefined> {
  const ledgers = await ledgersOf(system);
  if (ledgers === undefined) return undefined;
  const logs = ledgers.logs.filter(({ topic }) => isRecordLog(topic));
  const views = await Promise.all(logs.map((of) => viewOf(ledgers, of)));
  return await compareLedgers(recordLogs(session, system, views), views);
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

async function viewOf(ledgers: Ledgers, of: TopicPartition): Promise<LedgerView> {
  const kept = await keptOf(ledgers, of);
  const keys = await ledgers.verifierKeys(of);
  return {
    of,
    read: readOf(ledgers, of),
    ...(keys.length === 0 ? {} : { trust: { keys } }),
    ...defined({ kept }),
    ...(ledgers.generation === 1 ? {} : { successor: true }),
  };
}
