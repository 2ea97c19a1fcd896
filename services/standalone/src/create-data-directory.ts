import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { acquireRoutingLock, openSqliteLog } from '@residency/adapter-sqlite';
import type { RoutingLock, SqliteLog } from '@residency/adapter-sqlite';
import { hasCode } from '@residency/coded-error';
import { TOPICS, policyEntry, readPolicy } from '@residency/contracts';
import { LOG, MARKER, isFinished, logLost, usable, writeMarker } from './data-directory-marker.ts';
import { elapsed } from './elapsed.ts';
import { FIRST_POLICY } from './first-policy.ts';
import { makeLedgerKey } from './ledger-key.ts';
import { prepareRegions } from './prepare-regions.ts';
import { StandaloneError } from './standalone-error.ts';

const CREATION_PATIENCE_MS = 30_000;

/** Makes it with keys, sites and the first policy; waits if another process does. */
export async function createDataDirectory(directory: string): Promise<void> {
  await usable(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  // Also for an existing, empty folder: others must not enter it now that it will hold samples and
  // keys.
  await usable(directory, () => chmod(directory, 0o700));
  const lock = await lockCreation(directory);
  try {
    if ((await isFinished(directory)) !== undefined) return;
    await requireUnused(directory);
    const log = await openSqliteLog({ file: join(directory, LOG), now: Date.now, elapsed });
    let name: string;
    try {
      ({ name } = log);
      await requireNoRecords(directory, log);
      const { document } = readPolicy(await readFile(FIRST_POLICY));
      await prepareRegions(
        {
          keys: new KeyDirectory(join(directory, 'keys')),
          sitePath: (site) => join(directory, 'sites', site),
        },
        document,
      );
      if ((await log.end(TOPICS.policy)) === 0n)
        await log.append([policyEntry(document, randomUUID())]);
      // Created last. A complete directory without a key therefore means that the key was lost.
      await makeLedgerKey(directory);
    } finally {
      await log.close();
    }
    await usable(directory, () => writeMarker(directory, name));
  } finally {
    await lock.release();
  }
}

/**
 * Two commands may find the directory missing at the same time: one creates it, the other waits.
 */
async function lockCreation(directory: string): Promise<RoutingLock> {
  const deadline = Date.now() + CREATION_PATIENCE_MS;
  for (;;) {
    try {
      return await acquireRoutingLock(join(directory, 'creation.lock'));
    } catch (error) {
      if (!hasCode(error, 'ROUTING_LOCKED')) throw error;
      if (Date.now() > deadline)
        throw new StandaloneError({
          code: 'DATA_DIRECTORY_BUSY',
          message: `Expected to make the data directory ${directory}, found another process making it for ${CREATION_PATIENCE_MS / 1_000} s already; end that process and try again.`,
          remedy: 'retry',
        });
    }
    await sleep(50);
  }
}

/**
 * For a directory without a marker. Sites and keys are created after the log, so none may exist
 * without it.
 */
async function requireUnused(directory: string): Promise<void> {
  const names = await usable(directory, () => readdir(directory));
  if (
    !names.includes(LOG) &&
    names.some((name) => name === 'keys' || name === 'sites' || name === 'ledger-key')
  )
    throw logLost(directory, 'none');
}

/**
 * Throws if the log holds records. Nothing is appended before a directory is finished, so such a
 * directory lost its marker.
 */
async function requireNoRecords(directory: string, log: SqliteLog): Promise<void> {
  const ends = await Promise.all(
    [TOPICS.samples, TOPICS.consents, TOPICS.audit, TOPICS.control].map((topic) => log.end(topic)),
  );
  if (ends.some((end) => end > 0n))
    throw new StandaloneError({
      code: 'NOT_A_DATA_DIRECTORY',
      message: `Expected ${directory} to be a data directory (with a ${MARKER}) or empty, found a log with records and no ${MARKER}; restore it from a backup.`,
      remedy: 'stop',
    });
}
