import { randomBytes } from 'node:crypto';
import { hasCode } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts/log-record';
import { Database } from './database.ts';
import { ownerOnly } from './owner-only.ts';
import { SqliteLogError } from './sqlite-log-error.ts';

/** `PRAGMA user_version` of the schema that this code writes. */
export const SCHEMA_VERSION = 4;

// Payloads are the last column of a row, so that reading other columns never touches their pages.
// `audit` indexes audit events and holds their wall-clock time of settlement. `consent` is the
// projection of threat.consents up to `projection`.
const SCHEMA = `
  CREATE TABLE meta (name TEXT NOT NULL, last_at INTEGER NOT NULL) STRICT;
  CREATE TABLE topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, next INTEGER NOT NULL DEFAULT 0, settled INTEGER) STRICT;
  CREATE TABLE record (
    topic INTEGER NOT NULL REFERENCES topic, "offset" INTEGER NOT NULL, at INTEGER NOT NULL,
    submission TEXT, headers TEXT NOT NULL, key BLOB, value BLOB, UNIQUE (topic, "offset")
  ) STRICT;
  CREATE INDEX record_by_submission ON record (submission, "offset") WHERE submission IS NOT NULL;
  CREATE TABLE audit ("offset" INTEGER PRIMARY KEY, at INTEGER NOT NULL, outcome TEXT NOT NULL, submission TEXT, region TEXT, settled_at INTEGER NOT NULL) STRICT;
  CREATE INDEX audit_by_submission ON audit (submission, "offset") WHERE submission IS NOT NULL;
  CREATE TABLE consent (id TEXT PRIMARY KEY, intervals TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE projection (next INTEGER NOT NULL, skipped INTEGER NOT NULL) STRICT;
  INSERT INTO projection VALUES (0, 0);
`;

// `erased`: the intake offsets of erased samples. `erasing`: how far each log was followed for them
// (erasing.ts), and whether deleted records may still be in the write-ahead log.
const ERASING = `
  CREATE TABLE IF NOT EXISTS erased ("offset" INTEGER PRIMARY KEY, submission TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS erased_by_submission ON erased (submission);
  CREATE TABLE IF NOT EXISTS erasing (topic INTEGER PRIMARY KEY REFERENCES topic, next INTEGER NOT NULL, within INTEGER NOT NULL, due INTEGER NOT NULL) STRICT;
`;

/**
 * Opens the log's database and creates it if it is missing. Throws `LOG_SCHEMA_NEWER` if a later
 * version made it.
 */
export function openDatabase(file: string, busyTimeoutMs: number): Database {
  createOwnerOnly(file);
  const db = new Database(file, busyTimeoutMs);
  try {
    // If two processes switch a new file to WAL, they meet each other's lock without SQLite's
    // timeout (there is no busy handler at that point).
    retryBusy(busyTimeoutMs, () => {
      db.exec('PRAGMA journal_mode = WAL');
    });
    db.exec(
      'PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 67108864',
    );
    if (version(db) < SCHEMA_VERSION)
      db.writing(() => {
        create(db);
      });
    const found = version(db);
    if (found > SCHEMA_VERSION) {
      throw new SqliteLogError({
        code: 'LOG_SCHEMA_NEWER',
        message: `Expected a log of schema version ${SCHEMA_VERSION} or older, found ${found}: a newer release wrote it. Start that release.`,
        remedy: 'stop',
      });
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * The log holds plain samples. SQLite gives the write-ahead log's files the permissions of this
 * file.
 */
function createOwnerOnly(file: string): void {
  try {
    ownerOnly(file);
  } catch (cause) {
    throw new SqliteLogError({
      code: 'LOG_UNAVAILABLE',
      message:
        "Expected to create or open the log's file for writing, found that the system refuses it. Check that its folder exists and may be written.",
      remedy: 'stop',
      cause,
    });
  }
}

function create(db: Database): void {
  if (version(db) === 1) forgetProjection(db);
  if (version(db) === 2) addSettledAt(db);
  if (version(db) === 3) db.exec(`${ERASING} PRAGMA user_version = 4`);
  if (version(db) !== 0) return;
  db.exec(SCHEMA + ERASING);
  db.run('INSERT INTO meta VALUES (?, 0)', randomBytes(8).toString('hex'));
  for (const topic of Object.values(TOPICS)) db.run('INSERT INTO topic (name) VALUES (?)', topic);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/**
 * Version 1 projected consents by other rules. The projection is a function of the log and the
 * rules, so it starts again. Otherwise this view and one built today would decide a record
 * differently (docs/decisions/0017).
 */
function forgetProjection(db: Database): void {
  db.exec(
    `DELETE FROM consent; UPDATE projection SET next = 0, skipped = 0; PRAGMA user_version = 2`,
  );
}

/**
 * Until version 2 a record's retention began at the append time of its audit event. A wrong clock
 * could put that time years ahead.
 */
function addSettledAt(db: Database): void {
  if (db.get("SELECT 1 FROM pragma_table_info('audit') WHERE name = 'settled_at'") === undefined)
    db.exec('ALTER TABLE audit ADD COLUMN settled_at INTEGER NOT NULL DEFAULT 0');
  db.run(
    'UPDATE audit SET settled_at = (SELECT at FROM record WHERE topic = (SELECT id FROM topic WHERE name = ?) AND "offset" = audit."offset")',
    TOPICS.audit,
  );
  db.exec('PRAGMA user_version = 3');
}

function version(db: Database): number {
  return db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

function retryBusy(timeoutMs: number, work: () => void): void {
  for (let waited = 0; ; waited += 10) {
    try {
      work();
      return;
    } catch (error) {
      if (!hasCode(error, 'LOG_BUSY') || waited >= timeoutMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
