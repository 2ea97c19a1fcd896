import { TOPICS } from '@residency/contracts/log-record';
import { Appender } from './appending.ts';
import type { AuditLookup } from './audit-lookup.ts';
import type { ClockReading } from './clock.ts';
import type { Database } from './database.ts';
import { requireEnd } from './require-end.ts';
import { appendAudit } from './settling.ts';
import type { WireEntry } from './wire.ts';

export interface WireRestoration {
  /** The end of the audit log at which the entries begin. */
  readonly from: number;
  /** The last settled intake offset afterwards; `null`: none. */
  readonly settled: number | null;
  /** Without a look-up: the entry is not an audit event of this log. */
  readonly entries: readonly {
    readonly entry: WireEntry;
    readonly lookup: AuditLookup | undefined;
  }[];
}

/**
 * Appends entries of the ledger to the audit log, and moves progress behind them. The next intake
 * record gets an offset behind the records that they are about, which this log may not have. Throws
 * `FENCED` if the audit log has another end.
 */
export function restore(
  db: Database,
  { from, settled, entries }: WireRestoration,
  clock: ClockReading,
): void {
  db.writing(() => {
    requireEnd(db, TOPICS.audit, from);
    const appender = new Appender(db, clock);
    for (const { entry, lookup } of entries) {
      if (lookup === undefined) appender.append(entry);
      else appendAudit(db, appender, { entry, ...lookup }, clock);
    }
    appender.finish();
    db.run(
      'UPDATE topic SET settled = ?, next = max(next, ?) WHERE name = ?',
      settled,
      (settled ?? -1) + 1,
      TOPICS.samples,
    );
    // No later record may get an append time before that of a restored one.
    for (const { lookup } of entries)
      if (lookup !== undefined) db.run('UPDATE meta SET last_at = max(last_at, ?)', lookup.at);
  });
}
