import { DatabaseSync } from 'node:sqlite';
import { hasCode } from '@residency/coded-error';
import { ownerOnly } from './owner-only.ts';
import { SqliteLogError, explainSqlite } from './sqlite-log-error.ts';

export interface RoutingLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only router of a data directory while it lives. The lock is an exclusive
 * SQLite transaction on a file of its own, hence a lock of the operating system, which is released
 * however the process ends. No process ids, and nothing to clean up. Throws `ROUTING_LOCKED`.
 */
// oxlint-disable-next-line typescript/require-await -- a promise, so that a lock that waits on a network can take its place
export async function acquireRoutingLock(file: string): Promise<RoutingLock> {
  let db: DatabaseSync | undefined;
  try {
    makeOwnerOnly(file);
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

function makeOwnerOnly(file: string): void {
  try {
    ownerOnly(file);
  } catch (cause) {
    throw new SqliteLogError({
      code: 'LOG_UNAVAILABLE',
      message:
        'Expected to create or open a lock file in the data directory, found that the system refuses it. Check that its folder exists and may be written, and that its disk has room.',
      remedy: 'stop',
      cause,
    });
  }
}
