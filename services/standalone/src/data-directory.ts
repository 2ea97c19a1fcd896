import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyDirectory, initSite } from '@residency/adapter-filesystem';
import { acquireRoutingLock, openSqliteLog } from '@residency/adapter-sqlite';
import type { RoutingLock, SqliteLog } from '@residency/adapter-sqlite';
import { hasCode } from '@residency/coded-error';
import { TOPICS, policyEntry, readPolicy } from '@residency/contracts';
import { generateRegionKey } from '@residency/sealing';
import type { PolicyDocument } from '@residency/residency';
import { StandaloneError } from './standalone-error.ts';

/** A data directory of the standalone router, open. Any number of processes may have it open; one of them may route. */
export interface DataDirectory {
  readonly path: string;
  readonly log: SqliteLog;
  readonly keys: KeyDirectory;
  /** Where a site's objects stand. */
  sitePath(site: string): string;
  close(): Promise<void>;
}

/** The first policy version, as it is reviewed. */
export const FIRST_POLICY = new URL('../../../policy/residency-1.json', import.meta.url);

// Says that a folder is a data directory, and in which format; written last, so a folder without it was never finished.
const MARKER = 'residency.json';
const FORMAT = 1;
const CREATION_PATIENCE_MS = 30_000;

/** Opens `path`, made with keys, sites and the first policy where it is missing or empty. Throws `StandaloneError`. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const directory = resolve(path);
  if (!(await isFinished(directory))) await create(directory);
  const log = await openSqliteLog({ file: join(directory, 'log.db'), now: Date.now });
  const keys = new KeyDirectory(join(directory, 'keys'));
  const sitePath = (site: string): string => join(directory, 'sites', site);
  return { path: directory, log, keys, sitePath, close: () => log.close() };
}

/** Whether one stands at `path`, made to the end; nothing is made. Throws `StandaloneError` where `openDataDirectory` would refuse the folder. */
export async function isDataDirectory(path: string): Promise<boolean> {
  return await isFinished(resolve(path));
}

/** Makes what a policy's regions need before its version is published: sites with their markers, and a first key each. */
export async function prepareRegions(
  data: Pick<DataDirectory, 'keys' | 'sitePath'>,
  document: PolicyDocument,
): Promise<void> {
  for (const { id: region, sites } of document.regions) {
    for (const site of sites) await initSite(data.sitePath(site), { region, site });
    if (data.keys.newest(region) === undefined)
      await data.keys.add(region, await generateRegionKey(region, Date.now()));
  }
}

/** The lock of whoever routes. Throws `ROUTING_LOCKED`. */
export async function lockRouting(data: Pick<DataDirectory, 'path'>): Promise<RoutingLock> {
  return await acquireRoutingLock(join(data.path, 'routing.lock'));
}

async function create(directory: string): Promise<void> {
  await usable(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  const lock = await lockCreation(directory);
  try {
    if (await isFinished(directory)) return;
    const log = await openSqliteLog({ file: join(directory, 'log.db'), now: Date.now });
    try {
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
    } finally {
      await log.close();
    }
    await writeMarker(directory);
  } finally {
    await lock.release();
  }
}

/** Two commands may find the directory missing at once: one makes it, the other waits. */
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

async function writeMarker(directory: string): Promise<void> {
  const temporary = join(directory, `${MARKER}.new`);
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, MARKER));
  const parent = await open(directory, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

// What an unfinished creation may have left: anything else is somebody's folder, not ours.
const UNFINISHED = new Set([
  'creation.lock',
  'creation.lock-journal',
  'log.db',
  'log.db-wal',
  'log.db-shm',
  'keys',
  'sites',
  `${MARKER}.new`,
]);

async function isFinished(directory: string): Promise<boolean> {
  const names = await usable(directory, async () => {
    try {
      return await readdir(directory);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  });
  if (names.includes(MARKER)) {
    checkFormat(
      directory,
      await usable(directory, () => readFile(join(directory, MARKER), 'utf8')),
    );
    return true;
  }
  if (names.some((name) => !UNFINISHED.has(name))) {
    throw new StandaloneError({
      code: 'NOT_A_DATA_DIRECTORY',
      message: `Expected ${directory} to be a data directory (with a ${MARKER}) or empty, found other files; name another folder.`,
      remedy: 'stop',
    });
  }
  return false;
}

function checkFormat(directory: string, text: string): void {
  const format = /^\{"format":(\d{1,6})\}\s*$/.exec(text)?.[1];
  if (format === undefined)
    throw new StandaloneError({
      code: 'NOT_A_DATA_DIRECTORY',
      message: `Expected ${MARKER} in ${directory} to hold {"format":${FORMAT}}, found something else; restore it from a backup.`,
      remedy: 'stop',
    });
  if (Number(format) > FORMAT)
    throw new StandaloneError({
      code: 'DATA_DIRECTORY_NEWER',
      message: `Expected ${directory} in format ${FORMAT} or older, found ${format}; use the release that wrote it, or a newer one.`,
      remedy: 'stop',
    });
}

async function usable<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !('errno' in cause)) throw cause;
    throw new StandaloneError({
      code: 'DATA_DIRECTORY_UNUSABLE',
      message: `Expected to read and write the data directory ${directory}, found ${'code' in cause ? String(cause.code) : 'a failure'}; correct its permissions, or name another folder.`,
      remedy: 'stop',
      cause,
    });
  }
}
