import { TOPICS } from '@residency/contracts/log-record';
import type { Outcome } from '@residency/contracts';
import type { Instant } from '@residency/residency';
import type { Database } from './database.ts';

/**
 * Selects audit events. Absent members do not restrict. `[from, to)` in the T of their intake
 * records.
 */
export interface AuditQuery {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly submission?: string;
  readonly outcome?: Outcome;
  readonly region?: string;
}

export interface AuditRow {
  readonly offset: number;
  readonly value: Uint8Array;
}

/**
 * The next `limit` events at or after offset `start`, in log order. CROSS JOIN: the small rows of
 * `audit` choose first, so that only the events returned are read.
 */
export function readAudit(
  db: Database,
  query: AuditQuery,
  start: number,
  limit: number,
): AuditRow[] {
  const conditions: [sql: string, value: string | number | undefined][] = [
    ['at >= ?', query.from],
    ['at < ?', query.to],
    ['submission = ?', query.submission],
    ['outcome = ?', query.outcome],
    ['region = ?', query.region],
  ];
  const used = conditions.filter(
    (condition): condition is [string, string | number] => condition[1] !== undefined,
  );
  return db.all<AuditRow>(
    `SELECT a."offset", r.value
     FROM (SELECT "offset" FROM audit WHERE ${['"offset" >= ?', ...used.map(([sql]) => sql)].join(' AND ')} ORDER BY "offset" LIMIT ?) a
     CROSS JOIN record r ON r.topic = (SELECT id FROM topic WHERE name = ?) AND r."offset" = a."offset" ORDER BY a."offset"`,
    start,
    ...used.map(([, value]) => value),
    limit,
    TOPICS.audit,
  );
}

/**
 * Audit events about a submission id. `pending`: a record of that id is after the committed
 * position.
 */
export function findSubmission(
  db: Database,
  submission: string,
): { readonly events: Uint8Array[]; readonly pending: boolean } {
  return db.reading(() => {
    const events = readAudit(db, { submission }, 0, -1).map(({ value }) => value);
    const waiting = db.get(
      'SELECT 1 FROM record r JOIN topic t ON t.id = r.topic WHERE r.submission = ? AND t.name = ? AND r."offset" > coalesce(t.settled, -1) LIMIT 1',
      submission,
      TOPICS.samples,
    );
    return { events, pending: waiting !== undefined };
  });
}
