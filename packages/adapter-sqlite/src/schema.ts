import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { hasCode } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { Database } from './database.ts';
import { SqliteLogError } from './sqlite-log-error.ts';

/** `PRAGMA user_version` of what this code writes. */
export const SCHEMA_VERSION = 1;

// Payloads stand last in a row, so that reading the other columns never touches their pages.
// `audit` holds what audit events are looked up by; `consent` is the projection of threat.consents up to `projection`.
const SCHEMA = `
  CREATE TABLE meta (name TEXT NOT NULL, last_at INTEGER NOT NULL) STRICT;
  CREATE TABLE topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, next INTEGER NOT NULL DEFAULT 0, settled INTEGER) STRICT;
  CREATE TABLE record (
    topic INTEGER NOT NULL REFERENCES topic, "offset" INTEGER NOT NULL, at INTEGER NOT NULL,
    submission TEXT, headers TEXT NOT NULL, key BLOB, value BLOB, UNIQUE (topic, "offset")
  ) STRICT;
  CREATE INDEX record_by_submission ON record (submission, "offset") WHERE submission IS NOT NULL;
  CREATE TABLE audit ("offset" INTEGER PRIMARY KEY, at INTEGER NOT NULL, outcome TEXT NOT NULL, submission TEXT, region TEXT) STRICT;
  CREATE INDEX audit_by_submission ON audit (submission, "offset") WHERE submission IS NOT NULL;
  CREATE TABLE consent (id TEXT PRIMARY KEY, intervals TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE projection (next INTEGER NOT NULL, skipped INTEGER NOT NULL) STRICT;
  INSERT INTO projection VALUES (0, 0);
`;

/** Opens the log's database, made by whoever comes first; throws `LOG_SCHEMA_NEWER` for a later version's. */
export function openDatabase(file: string, busyTimeoutMs: number): Database {
  createOwnerOnly(file);
  const db = new Database(file, busyTimeoutMs);
  try {
    // Two processes that both turn a new file to WAL meet each other's lock without SQLite's time-out (no busy handler there).
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

/** The log holds plain samples: the write-ahead log's files take over this file's permissions. */
function createOwnerOnly(file: string): void {
  try {
    closeSync(openSync(file, 'a', 0o600));
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
  if (version(db) !== 0) return;
  db.exec(SCHEMA);
  db.run('INSERT INTO meta VALUES (?, 0)', randomBytes(8).toString('hex'));
  for (const topic of Object.values(TOPICS)) db.run('INSERT INTO topic (name) VALUES (?)', topic);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
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
