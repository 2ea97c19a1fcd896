import { TOPICS, auditEventIn } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import { AuditingError } from '../auditing-error.ts';
import { leafOf } from '../growing/leaf-of.ts';
import type { AuditReading, AuditRestorer, RestoredEntry } from '../ports/audit-restorer.ts';
import { IntakeComparison } from './intake-comparison.ts';
import type { LedgerEntries } from './ledger-entries.ts';

/** The comparison of one partition's audit log with its ledger. */
export interface RestorePlan {
  readonly partition: number;
  /** The number of records that the ledger has entries of. */
  readonly entries: number;
  /** The number of records in the log; the first of them equal the entries. */
  readonly records: number;
  /** The number of entries that the log lacks. */
  readonly missing: number;
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
  { onProgress = () => undefined }: RestoreOptions = {},
): Promise<RestorePlan> {
  const { partition } = log;
  // Read first: a router that settles meanwhile moves events and position together.
  const committed = await log.committed();
  let [records, now]: [number, bigint | null] = [0, null];
  for await (const batch of log.records()) {
    for (const { value } of batch) {
      if (records < ledger.size) await requireSame(ledger, records, { partition, value });
      now = after(eventIn(value, log), now);
      records += 1;
    }
    onProgress(records, Math.max(records, ledger.size));
  }
  const intake = new IntakeComparison(log);
  let next = now;
  for (let index = records; index < ledger.size; index += 1) {
    const entry = await ledger.at(index);
    const event = eventIn(entry, log);
    if (event !== undefined) await intake.compare(event, entry);
    next = after(event, next);
    if (index % MOST_AT_ONCE === 0) onProgress(index, ledger.size);
  }
  await intake.end();
  return {
    partition,
    entries: ledger.size,
    records,
    missing: Math.max(0, ledger.size - records),
    ahead: committed !== null && (now === null || committed > now),
    next,
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
  { onProgress = () => undefined }: RestoreOptions = {},
): Promise<RestorePlan> {
  const plan = await planRestore(ledger, log);
  for (let from = plan.records; from < ledger.size; from += MOST_AT_ONCE) {
    const entries: RestoredEntry[] = [];
    for (let at = from; at < Math.min(from + MOST_AT_ONCE, ledger.size); at += 1) {
      const value = Buffer.from(await ledger.at(at));
      entries.push({ value, ...defined({ event: eventIn(value, log) }) });
    }
    await log.append(entries, plan.next);
    onProgress(from + entries.length - plan.records, plan.missing);
  }
  if (plan.missing === 0 && plan.ahead) await log.append([], plan.next);
  return plan;
}

async function requireSame(
  ledger: LedgerEntries,
  index: number,
  { partition, value }: { readonly partition: number; readonly value: Buffer | null },
): Promise<void> {
  if (Buffer.compare(await ledger.at(index), leafOf(value)) === 0) return;
  throw new AuditingError({
    code: 'LOG_DIFFERS',
    remedy: 'stop',
    message: `Expected record ${index} of partition ${partition} of the audit log to be entry ${index} of its ledger, found another record; nothing was appended. This log is not the beginning of that ledger: keep both, and see docs/how-to/restore-the-audit-log.md.`,
  });
}

/** The event in a record, if it is about an intake record of this partition. */
function eventIn(
  value: Uint8Array | null,
  { log, partition }: Pick<AuditReading, 'log' | 'partition'>,
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
