import { mkdir, opendir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isFull, isOutOfHandles, systemFailure } from '@residency/coded-error';
import { DIRECTORY_MODE, makeDirectory, syncDirectory } from './durable-files.ts';
import { FilesystemError, errnoOf, outOfHandles } from './filesystem-error.ts';

/** The folder of partial files. Its name is not a number, so no partition has it. */
export const LEDGER_TEMPORARIES = 'tmp';

/**
 * Creates a directory for ledgers, or its missing parts. Do not call it if an existing directory
 * may be on a disk that is not mounted.
 */
export async function initLedgerDirectory(directory: string): Promise<void> {
  await inLedger(async () => {
    const root = resolve(directory);
    const first =
      (await mkdir(root, { recursive: true, mode: DIRECTORY_MODE }))?.length ?? Infinity;
    // Each new directory is a new entry in its parent.
    for (let made = root; made.length >= first; made = dirname(made))
      await syncDirectory(dirname(made));
    await openLedgerDirectory(root);
  });
}

/**
 * Removes the partial files of crashed writers in an existing directory. Files of running writers
 * fail and are repeated. Throws `LEDGER_UNREACHABLE` (retry).
 */
export async function openLedgerDirectory(directory: string): Promise<void> {
  await inLedger(async () => {
    const temporaries = join(directory, LEDGER_TEMPORARIES);
    await makeDirectory(temporaries);
    for await (const { name } of await opendir(temporaries))
      await rm(join(temporaries, name), { force: true, recursive: true });
  });
}

async function inLedger<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw ledgerError(cause);
  }
}

/**
 * Maps a failed system call in a ledger's directory to a coded error. Returns other errors
 * unchanged.
 */
export function ledgerError(cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  if (isOutOfHandles(errno)) return outOfHandles(errno, cause);
  if (isFull(errno))
    return new FilesystemError({
      code: 'LEDGER_FULL',
      message: `Expected room for the ledger, found ${systemFailure(errno)}. What waits is tried again.`,
      remedy: 'retry',
      cause,
    });
  return new FilesystemError({
    code: 'LEDGER_UNREACHABLE',
    remedy: 'retry',
    cause,
    message: `Expected the ledger's directory on one mounted file system with hard links that this process may read and write, found ${systemFailure(errno)}. Make, mount or repair it; the operation is tried again.`,
  });
}
