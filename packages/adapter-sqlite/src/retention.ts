import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Database } from './database.ts';
import { SqliteLogError } from './sqlite-log-error.ts';

// Bounds one transaction's share of the write-ahead log, and how long other writers wait for it.
const RECORDS_PER_TRANSACTION = 64;

/** Deletes one portion of the intake records settled before `olderThan`; 0 = there are none. */
export function dropExpiredPortion(db: Database, olderThan: number): number {
  return db.writing(() =>
    db.run(
      `DELETE FROM record WHERE rowid IN (
       SELECT r.rowid FROM record r JOIN topic t ON t.id = r.topic
       WHERE t.name = ? AND r."offset" <= t.settled AND r."offset" <= ? ORDER BY r."offset" LIMIT ?
     )`,
      TOPICS.samples,
      lastSettledBefore(db, olderThan),
      RECORDS_PER_TRANSACTION,
    ),
  );
}

/**
 * The last intake offset whose audit event was appended before `olderThan`; -1 = none. A record is settled when its audit
 * event is appended. Audit events are never deleted, stand in the order of their records, and append times never go back:
 * a binary search.
 */
function lastSettledBefore(db: Database, olderThan: number): number {
  const audit = db.get<{ id: number; next: number }>(
    'SELECT id, next FROM topic WHERE name = ?',
    TOPICS.audit,
  );
  if (audit === undefined) throw new TypeError('Expected the audit topic in every log.');
  let before = 0;
  for (let end = audit.next; before < end;) {
    const middle = Math.floor((before + end) / 2);
    const at =
      db.get<{ at: number }>(
        'SELECT at FROM record WHERE topic = ? AND "offset" = ?',
        audit.id,
        middle,
      )?.at ?? Infinity;
    if (at < olderThan) before = middle + 1;
    else end = middle;
  }
  const last = db.get<{ value: Uint8Array }>(
    'SELECT value FROM record WHERE topic = ? AND "offset" = ?',
    audit.id,
    before - 1,
  );
  return last === undefined ? -1 : Number(decodeAuditEvent(last.value).position.offset);
}

/**
 * Deleted payloads still stand in the write-ahead log until it is carried over (zeroed, `secure_delete`) and cut.
 * Throws `LOG_BUSY` where a reader holds it up.
 */
export function eraseDeleted(db: Database): void {
  const result = db.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
  if (result?.busy !== 0) {
    throw new SqliteLogError({
      code: 'LOG_BUSY',
      message:
        'Expected to cut the write-ahead log after deleting expired records, found another process reading it; their bytes may still stand in it. Try again.',
      remedy: 'retry',
    });
  }
}
