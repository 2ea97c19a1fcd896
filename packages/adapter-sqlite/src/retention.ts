import { TOPICS } from '@residency/contracts';
import type { Database } from './database.ts';
import { SqliteLogError } from './sqlite-log-error.ts';

// Bounds one transaction's share of the write-ahead log, and how long other writers wait for it.
const RECORDS_PER_TRANSACTION = 64;

/** Deletes one portion of settled intake records appended before `olderThan`; 0 = there are none. */
export function dropExpiredPortion(db: Database, olderThan: number): number {
  return db.writing(() => db.run(
    `DELETE FROM record WHERE rowid IN (
       SELECT r.rowid FROM record r JOIN topic t ON t.id = r.topic
       WHERE t.name = ? AND r."offset" <= t.settled ORDER BY r."offset" LIMIT ?
     ) AND at < ?`, TOPICS.samples, RECORDS_PER_TRANSACTION, olderThan,
  ));
}

/**
 * Deleted payloads still stand in the write-ahead log until it is carried over (zeroed, `secure_delete`) and cut.
 * Throws `LOG_BUSY` where a reader holds it up.
 */
export function eraseDeleted(db: Database): void {
  const result = db.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
  if (result?.busy !== 0) {
    throw new SqliteLogError({ code: 'LOG_BUSY', message: 'Expected to cut the write-ahead log after deleting expired records, found another process reading it; their bytes may still stand in it. Try again.', remedy: 'retry' });
  }
}
