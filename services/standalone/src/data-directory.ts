import { join, resolve } from 'node:path';
import { KeyDirectory } from '@residency/adapter-filesystem/key-directory';
import { acquireRoutingLock } from '@residency/adapter-sqlite/routing-lock';
import type { RoutingLock } from '@residency/adapter-sqlite';
import { openSqliteLog } from '@residency/adapter-sqlite/sqlite-log';
import type { SqliteLog } from '@residency/adapter-sqlite';
import { defaultCheckpoints, placeApart } from './checkpoints-place.ts';
import { LOG, isFinished, logLost, requireLog } from './data-directory-marker.ts';
import { elapsed } from './elapsed.ts';
import { isReadOnly, openReadOnlyLog } from './read-only-log.ts';

/**
 * An open data directory of the standalone router. Any number of processes may have it open; one of
 * them may route.
 */
export interface DataDirectory {
  readonly path: string;
  readonly log: SqliteLog;
  readonly keys: KeyDirectory;
  /** The place of its ledger's newest checkpoint, apart from the directory. */
  readonly checkpoints: string;
  /**
   * True: the directory cannot be written, and `log` is a copy to which nothing can be appended.
   * Only if it was opened for reading.
   */
  readonly readOnly: boolean;
  /** The folder of a site's objects. */
  sitePath(site: string): string;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** The place of checkpoints, with a folder for each log; default: `defaultCheckpoints`. */
  readonly checkpoints?: string;
  /** True: also open a directory that cannot be written. `readOnly` then says so. */
  readonly forReading?: boolean;
}

/**
 * Opens `path`. If it is missing or empty, creates it with keys, sites and the first policy. Throws
 * `StandaloneError`.
 */
export async function openDataDirectory(
  path: string,
  { checkpoints = defaultCheckpoints(process.env), forReading = false }: OpenOptions = {},
): Promise<DataDirectory> {
  const directory = resolve(path);
  const kept = await placeApart(directory, checkpoints);
  const finished = await isFinished(directory);
  // Loaded on demand: it loads what seals.
  if (finished === undefined)
    await (await import('./create-data-directory.ts')).createDataDirectory(directory);
  else await requireLog(directory);
  const readOnly = forReading && (await isReadOnly(directory));
  const { log, close } = await (readOnly
    ? openReadOnlyLog(join(directory, LOG))
    : openLog(join(directory, LOG)));
  if (finished?.log !== undefined && finished.log !== log.name) {
    await close();
    throw logLost(directory, 'another log');
  }
  const keys = new KeyDirectory(join(directory, 'keys'));
  const sitePath = (site: string): string => join(directory, 'sites', site);
  return {
    path: directory,
    log,
    keys,
    checkpoints: join(kept, log.name),
    sitePath,
    readOnly,
    close,
  };
}

async function openLog(
  file: string,
): Promise<{ readonly log: SqliteLog; readonly close: () => Promise<void> }> {
  const log = await openSqliteLog({ file, now: Date.now, elapsed });
  return { log, close: () => log.close() };
}

/** The router's lock. Throws `ROUTING_LOCKED`. */
export async function lockRouting(data: Pick<DataDirectory, 'path'>): Promise<RoutingLock> {
  return await acquireRoutingLock(join(data.path, 'routing.lock'));
}
