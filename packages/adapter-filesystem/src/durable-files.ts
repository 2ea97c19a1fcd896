import { createHash } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { errnoOf } from './filesystem-error.ts';

/** Readable by the owner only: ciphertext, metadata and keys alike. */
export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

/** Writes a new file and makes its content durable; its name is, once its directory is synced. */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Gives a finished file its name if that is free (link(2) is atomic, also between processes); `false` where it is taken. */
export async function linkIfFree(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A whole file under a name that was free, or nothing; `false` where the name is taken. `temporary` must be on the same file system. */
export async function createWhole(path: string, bytes: Uint8Array, temporary: string): Promise<boolean> {
  try {
    await writeNewFile(temporary, bytes);
    return await linkIfFree(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Makes one directory, never its parents; `false` where it stands already. */
export async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export interface FileDigest {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Reads a file of any size in pieces; `undefined` where there is none. */
export async function digestFile(path: string): Promise<FileDigest | undefined> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
    }
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}
