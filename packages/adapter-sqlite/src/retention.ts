import { TOPICS, auditEventIn } from '@residency/contracts';
import { clockAhead, judgeClock } from './clock.ts';
import type { ClockReading } from './clock.ts';
import type { Database } from './database.ts';
import { lastAppend } from './reading.ts';
import { SqliteLogError } from './sqlite-log-error.ts';

// Bounds one transaction's share of the write-ahead log, and how long other writers wait for it.
const RECORDS_PER_TRANSACTION = 64;

/**
 * Deletes one portion of the intake records that were settled before `olderThan`. Returns 0 if
 * there are none.
 */
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

/** Deletes the links of these consents to a subject. Returns how many. */
export function dropLinks(db: Database, consentIds: readonly string[]): number {
  return db.writing(() => {
    let deleted = 0;
    for (const consentId of consentIds)
      deleted += db.run(
        'DELETE FROM record WHERE topic = (SELECT id FROM topic WHERE name = ?) AND key = ?',
        TOPICS.subjects,
        Buffer.from(consentId),
      );
    return deleted;
  });
}

/**
 * Call before the first portion. Throws `CLOCK_AHEAD`: by a clock that is years ahead, everything
 * would have expired.
 */
export function beginRetention(db: Database, clock: ClockReading): void {
  db.writing(() => {
    const lastAt = lastAppend(db);
    if (judgeClock(clock, lastAt) === 'ahead') throw clockAhead(clock, lastAt);
    // Stamped by a clock that was ahead. They count as settled now.
    db.run('UPDATE audit SET settled_at = ? WHERE settled_at > ?', clock.now, clock.now);
  });
}

/**
 * The last intake offset that was settled before `olderThan` by the wall clock; -1: none. Audit
 * events are in the order of their records, so all records before it were settled earlier, even if
 * the clock went back. Reads from the end, because few events are newer than the retention.
 */
function lastSettledBefore(db: Database, olderThan: number): number {
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const last = db.get<{ offset: number; value: Uint8Array | null }>(
      `SELECT a."offset", r.value FROM (SELECT "offset" FROM audit WHERE settled_at < ? AND "offset" < ? ORDER BY "offset" DESC LIMIT 1) a
       LEFT JOIN record r ON r.topic = (SELECT id FROM topic WHERE name = ?) AND r."offset" = a."offset"`,
      olderThan,
      before,
      TOPICS.audit,
    );
    if (last === undefined) return -1;
    const event = auditEventIn(last.value);
    if (event !== undefined) return Number(event.position.offset);
    before = last.offset;
  }
}

/**
 * Deleted payloads remain in the write-ahead log until it is checkpointed (zeroed, `secure_delete`)
 * and truncated. Throws `LOG_BUSY` if a reader prevents that, and waits for it at most `waitMs`.
 * Absent: as long as for other processes' transactions.
 */
export function eraseDeleted(db: Database, waitMs?: number): void {
  if (!truncated(db, waitMs)) {
    throw new SqliteLogError({
      code: 'LOG_BUSY',
      message:
        'Expected to truncate the write-ahead log after deleting records, found another process reading it. It may still hold their bytes. Try again.',
      remedy: 'retry',
    });
  }
}

function truncated(db: Database, waitMs?: number): boolean {
  const before = db.get<{ timeout: number }>('PRAGMA busy_timeout')?.timeout ?? 0;
  db.exec(`PRAGMA busy_timeout = ${waitMs ?? before}`);
  try {
    return db.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${before}`);
  }
}
