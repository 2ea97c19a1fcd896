import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { DIRECTORY_MODE } from './durable-files.ts';
import { errnoOf } from './filesystem-error.ts';

/**
 * The system calls with which an object is created or replaced. Most are synchronous, because for small files
 * they take less of the main thread than handing them to the thread pool. What waits for the disk
 * goes to the pool. Errors are those of `node:fs`.
 */
export interface DiskCalls {
  /** Does not follow a link. */
  lstat(path: string): fs.BigIntStats;
  /** Whether anything has this name. Does not follow a link. */
  exists(path: string): boolean;
  /** Makes a new file and opens it for writing. Returns a file descriptor, as `open` does. */
  create(path: string, mode: number): Promise<number>;
  open(path: string, flags: string | number, mode: number): number;
  /** One write(2), if the bytes are few. Returns the number of bytes written. */
  write(file: number, bytes: Uint8Array): Promise<number>;
  size(file: number): number;
  sync(file: number): Promise<void>;
  close(file: number): void;
  /** Makes one directory, never its parents. `false`: it exists already. */
  mkdir(path: string): boolean;
  link(from: string, to: string): void;
  /** Replaces what has the other name. */
  rename(from: string, to: string): void;
  unlink(path: string): void;
}

const sync = promisify(fs.fsync);
const openInPool = promisify(fs.open);
const writeInPool = promisify(fs.write);
// Copying this much to the page cache takes as long as a call through the pool.
const SMALL_BYTES = 128 * 1024;

function makeDirectory(path: string): boolean {
  try {
    fs.mkdirSync(path, { mode: DIRECTORY_MODE });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

export const DISK_CALLS: DiskCalls = {
  lstat: (path) => fs.lstatSync(path, { bigint: true }),
  exists: (path) => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
  // In the pool: a file system may search long for a free inode.
  create: (path, mode) => openInPool(path, 'wx', mode),
  open: fs.openSync,
  write: async (file, bytes) =>
    bytes.length <= SMALL_BYTES
      ? fs.writeSync(file, bytes)
      : (await writeInPool(file, bytes)).bytesWritten,
  size: (file) => fs.fstatSync(file).size,
  sync,
  close: fs.closeSync,
  mkdir: makeDirectory,
  link: fs.linkSync,
  rename: fs.renameSync,
  unlink: fs.unlinkSync,
};

/** Makes the entries of a directory durable. */
export async function syncFolder(
  path: string,
  calls: Pick<DiskCalls, 'open' | 'sync' | 'close'>,
): Promise<void> {
  const folder = calls.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, 0);
  try {
    await calls.sync(folder);
  } finally {
    calls.close(folder);
  }
}
