import { closeSync, openSync } from 'node:fs';
import { CodedError, isOutOfHandles, systemFailure } from '@residency/coded-error';
import type { Remedy } from '@residency/coded-error';

export const SQLITE_LOG_ERROR_CODES = [
  'LOG_FULL',
  'LOG_BUSY',
  'LOG_CORRUPT',
  'LOG_UNAVAILABLE',
  'LOG_SCHEMA_NEWER',
  'LOG_REPLACED',
  'LOG_CLOSED',
  'TOO_FEW_FILE_HANDLES',
  'FENCED',
  'PROGRESS_LOST',
  'ROUTING_LOCKED',
  'CLOCK_AHEAD',
  'CLOCK_BEHIND',
] as const;
export type SqliteLogErrorCode = (typeof SQLITE_LOG_ERROR_CODES)[number];

export class SqliteLogError extends CodedError<SqliteLogErrorCode> {}

interface Explanation {
  readonly code: SqliteLogErrorCode;
  readonly remedy: Remedy;
  readonly message: string;
}

const full: Explanation = {
  code: 'LOG_FULL',
  remedy: 'retry',
  message:
    'Expected room to write to the log, found the disk full; nothing of this step was kept. Free space or shorten the retention.',
};
const busy: Explanation = {
  code: 'LOG_BUSY',
  remedy: 'retry',
  message:
    'Expected to get the log for writing within its time-out, found another process holding it. Try again.',
};
const corrupt: Explanation = {
  code: 'LOG_CORRUPT',
  remedy: 'stop',
  message:
    'Expected a log database, found a damaged file or another format. Stop, keep the file, and restore a copy.',
};
const unavailable: Explanation = {
  code: 'LOG_UNAVAILABLE',
  remedy: 'stop',
  message:
    "Expected to read and write the log's file, found that the system refuses it. See whether the disk is full, fails or is mounted read-only, whether its folder exists, and its permissions; then start again.",
};
const readOnly: Explanation = {
  code: 'LOG_UNAVAILABLE',
  remedy: 'stop',
  message:
    "Expected to write to the log's file, found it read-only. Mount its disk for writing, or correct its permissions, then start again.",
};
const handles: Explanation = {
  code: 'TOO_FEW_FILE_HANDLES',
  remedy: 'retry',
  message: `Expected a free file handle for the log, found ${systemFailure('EMFILE')}.`,
};

/** SQLITE_IOERR_SHMSIZE: the shared memory file could not be enlarged. */
const NO_ROOM = 4_874;

// Primary result codes, https://www.sqlite.org/rescode.html.
const EXPLANATIONS: ReadonlyMap<number, Explanation> = new Map([
  [5, busy],
  [6, busy],
  [13, full],
  [11, corrupt],
  [26, corrupt],
  [8, readOnly],
  [10, unavailable],
  [14, unavailable],
]);

/**
 * Maps a failure of SQLite to a coded error. Other errors and defects of this package are returned
 * unchanged.
 */
export function explainSqlite(error: unknown): unknown {
  if (noHandleForWorker(error)) return new SqliteLogError({ ...handles, cause: error });
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return error;
  const explanation = explanationOf(error.errcode);
  return explanation === undefined ? error : new SqliteLogError({ ...explanation, cause: error });
}

/**
 * Node needs some handles to start a thread, and gives the reason of a failure only in its message.
 */
function noHandleForWorker(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_WORKER_INIT_FAILED')
    return false;
  return isOutOfHandles(error.message.slice(error.message.lastIndexOf(' ') + 1));
}

const CANT_OPEN = 14;

/** SQLite does not report why it could not open a file. */
function explanationOf(code: number): Explanation | undefined {
  if (code === NO_ROOM) return full;
  if ((code & 0xff) === CANT_OPEN && !canOpen()) return handles;
  return EXPLANATIONS.get(code & 0xff);
}

/** True if this process can open another file now. */
function canOpen(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && isOutOfHandles(String(error.code)));
  }
}
