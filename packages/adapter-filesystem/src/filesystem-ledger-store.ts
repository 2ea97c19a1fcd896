import { randomUUID } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { isLedgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import pLimit from 'p-limit';
import { DirtyDirectories } from './dirty-directories.ts';
import {
  createWhole,
  makeDirectories,
  removeIfThere,
  syncDirectory,
  writeNewFile,
} from './durable-files.ts';
import { FilesystemError, errnoOf } from './filesystem-error.ts';
import { LEDGER_TEMPORARIES, ledgerError } from './ledger-directory.ts';

/**
 * Ledgers in a directory that `initLedgerDirectory` created. A file gets its name by link(2) once
 * its content is synced, so it is never incomplete, and all directories on its path are synced
 * before a call resolves. Any number of processes may create files. Only one process at a time may
 * publish; the caller ensures that.
 */
export class FilesystemLedgerStore implements LedgerStore {
  readonly #directory: string;
  readonly #dirty: DirtyDirectories;
  /** Serialises this instance's publications: compare and replace are two steps. */
  readonly #mutex = pLimit(1);

  constructor(directory: string) {
    this.#directory = directory;
    this.#dirty = new DirtyDirectories((path) => syncDirectory(join(directory, path)));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    checkPath(path);
    return await coded(() => this.#read(path));
  }

  async create(path: string, bytes: Uint8Array): Promise<'created' | 'same'> {
    checkPath(path);
    return await coded(async () => {
      // Checking first saves the writes of a repetition.
      const standing = (await this.#read(path)) ?? (await this.#createOrRead(path, bytes));
      if (standing !== undefined && Buffer.compare(standing, bytes) !== 0) throw forked(path);
      // Also if the file was found: its creator may have crashed before the sync.
      this.#dirty.touch(posix.dirname(path));
      await this.#dirty.flush();
      return standing === undefined ? 'created' : 'same';
    });
  }

  async publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void> {
    checkPath(path);
    await this.#mutex(() => coded(() => this.#publish(path, Buffer.from(bytes), replaces)));
  }

  /** `undefined`: created. Otherwise the existing file's bytes. */
  async #createOrRead(path: string, bytes: Uint8Array): Promise<Buffer | undefined> {
    const created = await this.#inDirectory(path, () =>
      createWhole(join(this.#directory, path), bytes, this.#temporary()),
    );
    if (created) return undefined;
    const standing = await this.#read(path);
    if (standing === undefined)
      throw new FilesystemError({
        code: 'LEDGER_UNREACHABLE',
        message: `Expected ${path} of the ledger to stay once it is written, found it gone. Find the process that deletes files there; the write is tried again.`,
        remedy: 'retry',
      });
    return standing;
  }

  async #publish(path: string, bytes: Buffer, replaces: Uint8Array | undefined): Promise<void> {
    const standing = await this.#read(path);
    if (standing === undefined || !standing.equals(bytes)) {
      const expected =
        standing === undefined
          ? replaces === undefined
          : replaces !== undefined && standing.equals(replaces);
      if (!expected)
        throw new FilesystemError({
          code: 'LEDGER_MOVED',
          message: `Expected ${path} of the ledger as it was read, found another writer's. The ledger is read again and continued.`,
          remedy: 'retry',
        });
      await this.#replace(path, bytes);
    }
    this.#dirty.touch(posix.dirname(path));
    await this.#dirty.flush();
  }

  async #replace(path: string, bytes: Buffer): Promise<void> {
    const temporary = this.#temporary();
    try {
      await writeNewFile(temporary, bytes);
      await this.#inDirectory(path, () => rename(temporary, join(this.#directory, path)));
    } finally {
      await removeIfThere(temporary);
    }
  }

  async #read(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#directory, path));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Most directories exist, so they are made only if the first attempt failed for lack of one. */
  async #inDirectory<T>(path: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    const made = await makeDirectories(this.#directory, directoriesTo(path));
    for (const directory of made) this.#dirty.made(directory);
    return await attempt();
  }

  #temporary(): string {
    return join(this.#directory, LEDGER_TEMPORARIES, randomUUID());
  }
}

/** The outermost first. */
function directoriesTo(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

async function coded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw ledgerError(cause);
  }
}

function checkPath(path: string): void {
  if (!isLedgerPath(path))
    throw new FilesystemError({
      code: 'INVALID_LEDGER_PATH',
      message:
        "Expected a path of a ledger's file, found another. This is a defect of the caller: report it.",
      remedy: 'stop',
    });
}

function forked(path: string): FilesystemError {
  return new FilesystemError({
    code: 'LEDGER_FORK',
    message: `Expected ${path} of the ledger to hold the bytes that are to be written, found others, which stay. Keep them as evidence, and find out whether the log or the ledger was altered.`,
    remedy: 'stop',
  });
}
