import { DatabaseSync } from 'node:sqlite';
import { hasCode } from '@residency/coded-error';
import { SqliteLogError, explainSqlite } from './sqlite-log-error.ts';

export interface RoutingLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only router of a data directory, for as long as it lives: an exclusive SQLite transaction on
 * a file of its own, that is, a lock of the operating system, which frees it however the process ends. Nothing to
 * clean up, no process ids. Throws `ROUTING_LOCKED`.
 */
// oxlint-disable-next-line typescript/require-await -- a promise, so that a lock that waits on a network can take its place
export async function acquireRoutingLock(file: string): Promise<RoutingLock> {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    const explained = explainSqlite(error);
    if (!hasCode(explained, 'LOG_BUSY')) throw explained;
    throw new SqliteLogError({
      code: 'ROUTING_LOCKED',
      message:
        'Expected to be the only router of this data directory, found another one running. Stop it, or give this one a data directory of its own.',
      remedy: 'stop',
      cause: error,
    });
  }
  const held = db;
  return {
    release: () => {
      if (held.isOpen) held.close();
      return Promise.resolve();
    },
  };
}
