import { TOPICS } from '@residency/contracts';
import { Appender } from './appending.ts';
import type { AuditLookup } from './audit-lookup.ts';
import type { Database } from './database.ts';
import { SqliteLogError } from './sqlite-log-error.ts';
import type { WireEntry } from './wire.ts';

export interface WireAudit extends AuditLookup {
  readonly entry: WireEntry;
}

export interface WireSettlement {
  /** The progress the batch was read at; another one now means that somebody else settled. */
  readonly previous: number | null;
  readonly settled: number;
  readonly audits: readonly WireAudit[];
  readonly pointers: readonly WireEntry[];
}

/** Audit events, quarantine pointers and progress in one transaction; throws `FENCED` where progress is not `previous`. */
export function settle(
  db: Database,
  { previous, settled, audits, pointers }: WireSettlement,
  now: number,
): void {
  db.writing(() => {
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
          'Expected progress to stand where this batch began, found that another router settled since. The batch is dropped; read on from the committed position.',
        remedy: 'retry',
      });
    }
    const appender = new Appender(db, now);
    for (const { entry, at, outcome, submission, region } of audits) {
      const { offset } = appender.append(entry);
      db.run(
        'INSERT INTO audit ("offset", at, outcome, submission, region) VALUES (?, ?, ?, ?, ?)',
        offset,
        at,
        outcome,
        submission,
        region,
      );
    }
    for (const pointer of pointers) appender.append(pointer);
    appender.finish();
  });
}
