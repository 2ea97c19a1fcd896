import { TOPICS } from '@residency/contracts/log-record';
import { Appender } from './appending.ts';
import type { AuditLookup } from './audit-lookup.ts';
import type { ClockReading } from './clock.ts';
import type { Database } from './database.ts';
import { nextOf } from './reading.ts';
import { SqliteLogError } from './sqlite-log-error.ts';
import type { WireEntry } from './wire.ts';

export interface WireAudit extends AuditLookup {
  readonly entry: WireEntry;
}

export interface WireSettlement {
  /** The progress at which the batch was read. If it has changed, another router settled. */
  readonly previous: number | null;
  /** The end of the control log before the batch was decided. An order that came since may forbid it. */
  readonly control: number;
  readonly settled: number;
  readonly audits: readonly WireAudit[];
  readonly pointers: readonly WireEntry[];
}

/**
 * Writes audit events, quarantine pointers and progress in one transaction. Throws `FENCED` if the
 * progress is not `previous`, or the control log grew.
 */
export function settle(
  db: Database,
  { previous, control, settled, audits, pointers }: WireSettlement,
  clock: ClockReading,
): void {
  db.writing(() => {
    if (nextOf(db, TOPICS.control) !== control)
      throw new SqliteLogError({
        code: 'FENCED',
        message:
          'Expected the control log to have the end that it had when this batch began, found a later one: an operator acted since. The batch is dropped and decided anew.',
        remedy: 'retry',
      });
    const moved = db.run(
      'UPDATE topic SET settled = ? WHERE name = ? AND settled IS ?',
      settled,
      TOPICS.samples,
      previous,
    );
    if (moved === 0) {
      throw new SqliteLogError({
        code: 'FENCED',
        message:
          'Expected the committed position at which this batch began, found a later one: another router settled since. The batch is dropped; read on from the committed position.',
        remedy: 'retry',
      });
    }
    const appender = new Appender(db, clock);
    for (const audit of audits) appendAudit(db, appender, audit, clock);
    for (const pointer of pointers) appender.append(pointer);
    appender.finish();
  });
}

/** Appends an audit event with its row of the look-up table, within a write transaction. */
export function appendAudit(
  db: Database,
  appender: Appender,
  { entry, at, outcome, submission, region }: WireAudit,
  clock: ClockReading,
): void {
  const { offset } = appender.append(entry);
  db.run(
    'INSERT INTO audit ("offset", at, outcome, submission, region, settled_at) VALUES (?, ?, ?, ?, ?, ?)',
    offset,
    at,
    outcome,
    submission,
    region,
    clock.now,
  );
}
