import { lstat, readdir, realpath } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { CliError } from './cli-error.ts';

/** Paths are bytes: a name need not be text, and only its bytes open the file. */
export type Found =
  | { readonly kind: 'file'; readonly path: Buffer; readonly realPath: Buffer }
  | { readonly kind: 'skipped'; readonly path: Buffer; readonly why: string }
  | { readonly kind: 'unreadable'; readonly path: Buffer; readonly why: string };

export interface FindOptions {
  /** Folders left out, by their real path: the data directory holds private keys. */
  readonly except: ReadonlySet<string>;
}

/** Regular files under `paths`, folders recursively in byte order of names. Throws `FILE_UNREADABLE` before the first where a path is missing. */
export async function* findFiles(paths: readonly string[], options: FindOptions): AsyncGenerator<Found> {
  const roots: { path: Buffer; stats: Stats }[] = [];
  for (const path of paths) roots.push({ path: Buffer.from(path), stats: await statNamed(path) });
  for (const { path, stats } of roots) {
    if (stats.isSymbolicLink()) yield { kind: 'skipped', path, why: 'a link; name what it leads to' };
    else yield* find(path, await realpath(path, { encoding: 'buffer' }), stats, options);
  }
}

async function statNamed(path: string): Promise<Stats> {
  try {
    return await lstat(path);
  } catch (cause) {
    throw new CliError({ code: 'FILE_UNREADABLE', message: `Expected every PATH to be a file or folder this user can read, found ${reason(cause)} for one of them; nothing was published. Correct it.`, remedy: 'stop', cause });
  }
}

async function* find(path: Buffer, realPath: Buffer, stats: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>, options: FindOptions): AsyncGenerator<Found> {
  if (stats.isFile()) yield { kind: 'file', path, realPath };
  else if (stats.isSymbolicLink()) yield { kind: 'skipped', path, why: 'a link' };
  else if (!stats.isDirectory()) yield { kind: 'skipped', path, why: 'neither file nor folder' };
  else if (options.except.has(realPath.toString())) yield { kind: 'skipped', path, why: 'a data directory' };
  else yield* findIn(path, realPath, options);
}

async function* findIn(path: Buffer, realPath: Buffer, options: FindOptions): AsyncGenerator<Found> {
  let entries;
  try {
    entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    yield { kind: 'unreadable', path, why: reason(error) };
    return;
  }
  entries.sort((one, other) => Buffer.compare(one.name, other.name));
  // Links are not followed, so below a real path every path is real.
  for (const entry of entries) yield* find(join(path, entry.name), join(realPath, entry.name), entry, options);
}

const SLASH = 0x2f;

function join(folder: Buffer, name: Buffer): Buffer {
  return folder.at(-1) === SLASH ? Buffer.concat([folder, name]) : Buffer.concat([folder, Buffer.of(SLASH), name]);
}

/** The system's word for a failure. */
export function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'a failure';
}
