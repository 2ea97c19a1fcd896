import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from './filesystem-error.ts';

/** Readable by the owner only: ciphertext, metadata and keys alike. */
export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

/**
 * Writes a new file and makes its content durable. Its name becomes durable when its directory is
 * synced.
 */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Links a finished file to its name if the name is free (link(2) is atomic, also between
 * processes). `false`: the name is taken.
 */
export async function linkIfFree(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Creates a complete file at a free name, or nothing. `false`: the name is taken. `temporary` must
 * be on the same file system.
 */
export async function createWhole(
  path: string,
  bytes: Uint8Array,
  temporary: string,
): Promise<boolean> {
  try {
    await writeNewFile(temporary, bytes);
    return await linkIfFree(temporary, path);
  } finally {
    await removeIfThere(temporary);
  }
}

/** Makes one directory, never its parents. `false`: it exists already. */
export async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Creates nested directories, outermost first and relative to `root`, whose own parent must exist.
 * Returns those that were missing.
 */
export async function makeDirectories(
  root: string,
  directories: readonly string[],
): Promise<readonly string[]> {
  const innermost = directories.at(-1);
  if (innermost === undefined) return [];
  const outer = directories.slice(0, -1);
  // The innermost first: usually only that one is missing.
  try {
    return (await makeDirectory(join(root, innermost))) ? [innermost] : [];
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || outer.length === 0) throw error;
  }
  const made = await makeDirectories(root, outer);
  return (await makeDirectory(join(root, innermost))) ? [...made, innermost] : made;
}

/** Cheaper than `rm` with `force`, which examines the file on the main thread first. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Makes the entries of a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** `undefined`: nothing has the name (`ENOENT`). */
export async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export interface FileDigest {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

// The codes of a link (FreeBSD: EMLINK) and of a socket.
const NOT_REGULAR = new Set(['ELOOP', 'EMLINK', 'ENXIO']);

/**
 * Opens a regular file of exactly this name for reading. `undefined`: it is a link, a directory or
 * a special file. Rejects with `ENOENT` if nothing has this name.
 */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    // Without O_NONBLOCK, opening a pipe waits for its writer.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (NOT_REGULAR.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
  try {
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

/**
 * Reads a file of any size in chunks. `undefined`: there is no regular file. The target of a link
 * is not an object of the site.
 */
export async function digestFile(path: string): Promise<FileDigest | undefined> {
  const file = await ifThere(openRegular(path));
  if (file === undefined) return undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of file.createReadStream({
      autoClose: false,
    }) as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
    }
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}
