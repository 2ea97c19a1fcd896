import { open, readFile, readdir, rename, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasCode, systemFailure } from '@residency/coded-error';
import { defined } from '@residency/defined';
import { StandaloneError } from './standalone-error.ts';

// The marker of a data directory, with the version of its format. It is written last, so a folder
// without it is unfinished.
export const MARKER = 'residency.json';
export const LOG = 'log.db';
/** 2: version 0.1 would not find the objects of the sites (docs/decisions/0030). */
export const FORMAT = 2;

/**
 * Whether a complete data directory is at `path`. Creates nothing. Throws `StandaloneError` if
 * `openDataDirectory` would refuse the folder.
 */
export async function isDataDirectory(path: string): Promise<boolean> {
  return (await isFinished(resolve(path))) !== undefined;
}

// The names that an unfinished creation may have left. Any other entry means that the folder is not
// ours.
const UNFINISHED = new Set([
  'creation.lock',
  'creation.lock-journal',
  LOG,
  `${LOG}-wal`,
  `${LOG}-shm`,
  'keys',
  'sites',
  'ledger-key',
  'ledger-key.new',
  `${MARKER}.new`,
  'published.db',
  'published.db-wal',
  'published.db-shm',
]);

interface Marked {
  readonly format: number;
  /** The log's name. */
  readonly log?: string;
}

/** The content of the marker; `undefined`: there is none, and nothing prevents its creation. */
export async function isFinished(directory: string): Promise<Marked | undefined> {
  const names = await usable(directory, async () => {
    try {
      return await readdir(directory);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  });
  if (names.includes(MARKER)) {
    return checkFormat(
      directory,
      await usable(directory, () => readFile(join(directory, MARKER), 'utf8')),
    );
  }
  if (names.some((name) => !UNFINISHED.has(name))) {
    throw new StandaloneError({
      code: 'NOT_A_DATA_DIRECTORY',
      message: `Expected ${directory} to be a data directory (with a ${MARKER}) or empty, found other files; name another folder, or restore ${MARKER} from a backup if this is one that lost it.`,
      remedy: 'stop',
    });
  }
  return undefined;
}

function checkFormat(directory: string, text: string): Marked {
  const { format, log } =
    /^\{"format":(?<format>\d{1,6})(?:,"log":"(?<log>[A-Za-z0-9._-]{1,64})")?\}\s*$/.exec(text)
      ?.groups ?? {};
  if (format === undefined)
    throw new StandaloneError({
      code: 'NOT_A_DATA_DIRECTORY',
      message: `Expected ${MARKER} in ${directory} to hold {"format":${FORMAT},"log":"..."}, found something else; restore it from a backup.`,
      remedy: 'stop',
    });
  if (Number(format) > FORMAT)
    throw new StandaloneError({
      code: 'DATA_DIRECTORY_NEWER',
      message: `Expected ${directory} in format ${FORMAT} or older, found ${format}; use the release that wrote it, or a newer one.`,
      remedy: 'stop',
    });
  return { format: Number(format), ...defined({ log }) };
}

/** Writes the marker, atomically and durably. */
export async function writeMarker(directory: string, log: string): Promise<void> {
  const temporary = join(directory, `${MARKER}.new`);
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, log })}\n`);
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

/**
 * Marks a directory of an earlier format as one of this, so that an earlier release refuses it. Only
 * for the holder of the routing lock, before it writes.
 */
export async function raiseFormat(directory: string, log: string): Promise<void> {
  const found = await isFinished(directory);
  if (found !== undefined && found.format < FORMAT)
    await usable(directory, () => writeMarker(directory, log));
}

/** Throws if the log is missing, because it would be recreated under another name. */
export async function requireLog(directory: string): Promise<void> {
  const size = await usable(directory, async () => {
    try {
      return (await stat(join(directory, LOG))).size;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return 0;
      throw error;
    }
  });
  if (size === 0) throw logLost(directory, 'none');
}

export function logLost(directory: string, found: string): StandaloneError {
  return new StandaloneError({
    code: 'LOG_LOST',
    message: `Expected the log of ${directory} in ${LOG}, found ${found}; restore ${LOG} with its -wal file from a backup. Nothing is made anew beside keys, samples and a ledger that belong to the log. A new data directory is another folder.`,
    remedy: 'stop',
  });
}

export async function usable<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !('errno' in cause)) throw cause;
    const found = 'code' in cause ? systemFailure(String(cause.code)) : 'a failure';
    throw new StandaloneError({
      code: 'DATA_DIRECTORY_UNUSABLE',
      message: `Expected to read and write the data directory ${directory}, found ${found}. Mend that, or name another folder.`,
      remedy: 'stop',
      cause,
    });
  }
}
