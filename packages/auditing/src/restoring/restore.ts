import { TOPICS, auditEventIn } from '@residency/contracts';
import type { AuditEvent, TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { AuditingError } from '../auditing-error.ts';
import { leafOf } from '../growing/leaf-of.ts';
import { logText } from '../logs/log-text.ts';
import type {
  AuditReading,
  AuditRestorer,
  CustodyRestorer,
  LogReading,
  RestoredEntry,
} from '../ports/log-restorers.ts';
import { IntakeComparison } from './intake-comparison.ts';
import type { LedgerEntries } from './ledger-entries.ts';

/** The comparison of a log with its ledger. */
export interface RestorePlan {
  readonly of: TopicPartition;
  /** The number of records that the ledger has entries of. */
  readonly entries: number;
  /** The number of records in the log; the first of them equal the entries. */
  readonly records: number;
  /** The number of entries that the log lacks. */
  readonly missing: number;
}

/** The same of a partition of the audit log, and of the position at which it is settled. */
export interface AuditRestorePlan extends RestorePlan {
  /** True if the committed position is beyond the log's last event. */
  readonly ahead: boolean;
  /**
   * The intake offset behind the last event once the missing entries are back: routing goes on
   * there. `null`: there is no event.
   */
  readonly next: bigint | null;
}

export interface RestoreOptions {
  /** Called with the number of entries and records seen so far, and the number of all. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** The most entries of one append: their bytes are in memory, at most 64 MiB. */
const MOST_AT_ONCE = 1_024;

/**
 * Compares each record with its entry, and reads each further entry. Changes nothing. Throws
 * `LOG_DIFFERS` (stop) if a record is not the one that the ledger has, `INTAKE_SHORTER` or
 * `INTAKE_DIFFERS` (stop) if an entry that is missing is about a record that the intake log does not
 * have yet or has otherwise, and the errors of `LedgerReader`.
 */
export async function planRestore(
  ledger: LedgerEntries,
  log: AuditReading,
  options: RestoreOptions = {},
): Promise<AuditRestorePlan> {
  // Read first: a router that settles meanwhile moves events and position together.
  const committed = await log.committed();
  let now: bigint | null = null;
  const intake = new IntakeComparison(log);
  let next: bigint | null = null;
  const plan = await compare(ledger, log, options, {
    record: (value) => {
      next = now = after(eventIn(value, log), now);
    },
    missing: async (entry) => {
      const event = eventIn(entry, log);
      if (event !== undefined) await intake.compare(event, entry);
      next = after(event, next);
    },
  });
  await intake.end();
  return { ...plan, ahead: committed !== null && (now === null || committed > now), next };
}

/** As `planRestore`, for a custody log, which no committed position belongs to. */
export async function planCustodyRestore(
  ledger: LedgerEntries,
  log: LogReading,
  options: RestoreOptions = {},
): Promise<RestorePlan> {
  return await compare(ledger, log, options, {
    record: () => undefined,
    missing: () => Promise.resolve(),
  });
}

/** What is done with each record of the log, and with each further entry of the ledger. */
interface Seen {
  record(value: Buffer | null): void;
  missing(entry: Uint8Array): Promise<void>;
}

async function compare(
  ledger: LedgerEntries,
  log: LogReading,
  { onProgress = () => undefined }: RestoreOptions,
  seen: Seen,
): Promise<RestorePlan> {
  let records = 0;
  for await (const batch of log.records()) {
    for (const { value } of batch) {
      if (records < ledger.size) await requireSame(ledger, records, log.of, value);
      seen.record(value);
      records += 1;
    }
    onProgress(records, Math.max(records, ledger.size));
  }
  for (let index = records; index < ledger.size; index += 1) {
    await seen.missing(await ledger.at(index));
    if (index % MOST_AT_ONCE === 0) onProgress(index, ledger.size);
  }
  return {
    of: log.of,
    entries: ledger.size,
    records,
    missing: Math.max(0, ledger.size - records),
  };
}

/**
 * Appends the entries that the log lacks, byte for byte and in order, and makes routing go on
 * behind the last event. May be repeated after any stop. Throws as `planRestore`, before it
 * appends anything.
 *
 * Every append commits the last position. Until the last append the position is ahead of the audit
 * log, and routers do not settle behind half of it.
 */
export async function restoreAuditLog(
  ledger: LedgerEntries,
  log: AuditRestorer,
  options: RestoreOptions = {},
): Promise<AuditRestorePlan> {
  const plan = await planRestore(ledger, log);
  await appendMissing(ledger, plan, options, async (values) => {
    const entries: readonly RestoredEntry[] = values.map((value) => ({
      value,
      ...defined({ event: eventIn(value, log) }),
    }));
    await log.append(entries, plan.next);
  });
  if (plan.missing === 0 && plan.ahead) await log.append([], plan.next);
  return plan;
}

/**
 * Appends the entries that the custody log lacks, byte for byte and in order. May be repeated after
 * any stop: a shorter log is the beginning of the ledger. Throws as `planCustodyRestore`, before it
 * appends anything.
 */
export async function restoreCustodyLog(
  ledger: LedgerEntries,
  log: CustodyRestorer,
  options: RestoreOptions = {},
): Promise<RestorePlan> {
  const plan = await planCustodyRestore(ledger, log);
  await appendMissing(ledger, plan, options, async (values) => {
    await log.restore(values);
  });
  return plan;
}

async function appendMissing(
  ledger: LedgerEntries,
  { records, missing }: RestorePlan,
  { onProgress = () => undefined }: RestoreOptions,
  append: (values: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  for (let from = records; from < ledger.size; from += MOST_AT_ONCE) {
    const values: Buffer[] = [];
    for (let at = from; at < Math.min(from + MOST_AT_ONCE, ledger.size); at += 1)
      values.push(Buffer.from(await ledger.at(at)));
    await append(values);
    onProgress(from + values.length - records, missing);
  }
}

async function requireSame(
  ledger: LedgerEntries,
  index: number,
  of: TopicPartition,
  value: Buffer | null,
): Promise<void> {
  if (Buffer.compare(await ledger.at(index), leafOf(value)) === 0) return;
  throw new AuditingError({
    code: 'LOG_DIFFERS',
    remedy: 'stop',
    message: `Expected record ${index} of ${logText(of)} to be entry ${index} of its ledger, found another record; nothing was appended. This log is not the beginning of that ledger: keep both, and see docs/how-to/restore-the-audit-log.md.`,
  });
}

/** The event in a record, if it is about an intake record of this partition. */
function eventIn(
  value: Uint8Array | null,
  { log, of: { partition } }: Pick<AuditReading, 'log' | 'of'>,
): AuditEvent | undefined {
  const event = auditEventIn(value);
  const { position } = event ?? {};
  return position?.log === log &&
    position.topic === TOPICS.samples &&
    position.partition === partition
    ? event
    : undefined;
}

function after(event: AuditEvent | undefined, next: bigint | null): bigint | null {
  return event === undefined ? next : event.position.offset + 1n;
}
