import { lstat, readFile, readdir, realpath, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { CliError, usage } from '../terminal/cli-error.ts';
import { printable } from '../terminal/output.ts';
import { reason } from '../terminal/reason.ts';

/** Paths are bytes: a name need not be text, and only its bytes open the file. */
export type Found =
  | { readonly kind: 'file'; readonly path: Buffer; readonly realPath: Buffer }
  | { readonly kind: 'skipped'; readonly path: Buffer; readonly why: string }
  | { readonly kind: 'unreadable'; readonly path: Buffer; readonly why: string };

export interface FindOptions {
  /**
   * Folders and files left out, by their real path, besides every data directory that says it is
   * one: they hold private keys and secrets.
   */
  readonly except: ReadonlySet<string>;
}

/**
 * Regular files under `paths`, folders recursively in byte order of names. Throws before the first:
 * `FILE_UNREADABLE` where a path is missing, `USAGE` where one leads into a data directory.
 */
export async function* findFiles(
  paths: readonly string[],
  options: FindOptions,
): AsyncGenerator<Found> {
  const roots: Root[] = [];
  for (const path of paths) roots.push(await rootOf(path, options));
  for (const { path, realPath, stats } of roots) {
    if (realPath === undefined)
      yield { kind: 'skipped', path, why: 'a link; name what it leads to' };
    else yield* find(path, realPath, stats, options);
  }
}

interface Root {
  readonly path: Buffer;
  /** Absent: a link, which is not followed. */
  readonly realPath?: Buffer;
  readonly stats: Stats;
}

async function rootOf(named: string, options: FindOptions): Promise<Root> {
  const path = Buffer.from(named);
  const stats = await statNamed(named);
  if (stats.isSymbolicLink()) return { path, stats };
  const realPath = await realpath(path, { encoding: 'buffer' });
  for (let at: Buffer = realPath; ; at = parentOf(at)) {
    if (await isDataDirectory(at, options))
      throw usage(
        `Expected every PATH outside of data directories and of a cluster's keys and settings, found ${printable(named)} at or in a data directory, which holds private keys and the log, or in those; nothing was published. Copy the file elsewhere if it is to be published.`,
      );
    if (at.length === 1) return { path, realPath, stats };
  }
}

function parentOf(path: Buffer): Buffer {
  return path.subarray(0, Math.max(1, path.lastIndexOf(SLASH)));
}

/**
 * Recognised by its marker, of any format version (services/standalone): another release's
 * directory holds keys as well.
 */
async function isDataDirectory(realPath: Buffer, { except }: FindOptions): Promise<boolean> {
  if (except.has(realPath.toString())) return true;
  const marker = join(realPath, Buffer.from('residency.json'));
  const stats = await stat(marker).catch(() => undefined);
  // A marker is a line; opening a pipe would wait for ever.
  if (stats?.isFile() !== true || stats.size > 4_096) return false;
  // An unreadable marker counts as a data directory: files that were left out can be published
  // later.
  const text = await readFile(marker, 'utf8').catch(() => '{"format":0}');
  return /^\s*\{\s*"format"\s*:\s*\d/.test(text);
}

async function statNamed(path: string): Promise<Stats> {
  try {
    return await lstat(path);
  } catch (cause) {
    throw new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected every PATH to be a file or folder this user can read, found ${reason(cause)} for ${printable(path)}; nothing was published. Correct it.`,
      remedy: 'stop',
      cause,
    });
  }
}

async function* find(
  path: Buffer,
  realPath: Buffer,
  stats: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>,
  options: FindOptions,
): AsyncGenerator<Found> {
  if (stats.isFile() && options.except.has(realPath.toString()))
    yield { kind: 'skipped', path, why: 'it holds settings of this system' };
  else if (stats.isFile()) yield { kind: 'file', path, realPath };
  else if (stats.isSymbolicLink()) yield { kind: 'skipped', path, why: 'a link' };
  else if (!stats.isDirectory()) yield { kind: 'skipped', path, why: 'neither file nor folder' };
  else if (await isDataDirectory(realPath, options))
    yield { kind: 'skipped', path, why: 'a data directory, which holds private keys' };
  else yield* findIn(path, realPath, options);
}

async function* findIn(
  path: Buffer,
  realPath: Buffer,
  options: FindOptions,
): AsyncGenerator<Found> {
  let entries;
  try {
    entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    yield { kind: 'unreadable', path, why: reason(error) };
    return;
  }
  entries.sort((one, other) => Buffer.compare(one.name, other.name));
  // Links are not followed, so below a real path every path is real.
  for (const entry of entries)
    yield* find(join(path, entry.name), join(realPath, entry.name), entry, options);
}

const SLASH = 0x2f;

function join(folder: Buffer, name: Buffer): Buffer {
  return folder.at(-1) === SLASH
    ? Buffer.concat([folder, name])
    : Buffer.concat([folder, Buffer.of(SLASH), name]);
}
