import { CodedError } from '@residency/coded-error';
import type { Remedy } from '@residency/coded-error';

export const SQLITE_LOG_ERROR_CODES = [
  'LOG_FULL',
  'LOG_BUSY',
  'LOG_CORRUPT',
  'LOG_UNAVAILABLE',
  'LOG_SCHEMA_NEWER',
  'LOG_CLOSED',
  'FENCED',
  'PROGRESS_LOST',
  'ROUTING_LOCKED',
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
    "Expected to read and write the log's file, found that the system refuses it. Check that its folder exists, its permissions and the disk, then start again.",
};

// Primary result codes, https://www.sqlite.org/rescode.html.
const EXPLANATIONS: ReadonlyMap<number, Explanation> = new Map([
  [5, busy],
  [6, busy],
  [13, full],
  [11, corrupt],
  [26, corrupt],
  [8, unavailable],
  [10, unavailable],
  [14, unavailable],
]);

/** SQLite's failure in this package's words; whatever is not SQLite's, or a defect of ours, is handed back as it is. */
export function explainSqlite(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return error;
  const explanation = EXPLANATIONS.get(error.errcode & 0xff);
  return explanation === undefined ? error : new SqliteLogError({ ...explanation, cause: error });
}
