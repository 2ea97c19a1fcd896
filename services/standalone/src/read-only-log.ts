import { constants } from 'node:fs';
import { access, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteLog } from '@residency/adapter-sqlite/sqlite-log';
import type { SqliteLog } from '@residency/adapter-sqlite';
import { hasCode } from '@residency/coded-error';
import { StandaloneError } from './standalone-error.ts';

/**
 * True if the directory cannot be written: a copy kept as evidence, on a read-only medium or mount.
 */
export async function isReadOnly(directory: string): Promise<boolean> {
  try {
    await access(directory, constants.W_OK);
    return false;
  } catch (error) {
    return hasCode(error, 'EROFS') || hasCode(error, 'EACCES');
  }
}

/**
 * Opens a temporary copy of the log in `file`, because SQLite must write beside a log that it
 * reads. The write-ahead log is copied too. Appending is refused; `close` deletes the copy.
 */
export async function openReadOnlyLog(
  file: string,
): Promise<{ readonly log: SqliteLog; readonly close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-read-only-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'log.db');
    await copyFile(file, copy);
    await copyFile(`${file}-wal`, `${copy}-wal`).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    const log = await openSqliteLog({ file: copy, now: Date.now });
    const close = async (): Promise<void> => {
      try {
        await log.close();
      } finally {
        await remove();
      }
    };
    return { log, close };
  } catch (cause) {
    await remove();
    if (!(cause instanceof Error) || !('errno' in cause)) throw cause;
    throw new StandaloneError({
      code: 'DATA_DIRECTORY_UNUSABLE',
      message: `Expected to copy the log of a read-only data directory to a temporary folder, found ${'code' in cause ? String(cause.code) : 'a failure'}; make room, or name another folder by TMPDIR.`,
      remedy: 'stop',
      cause,
    });
  }
}
