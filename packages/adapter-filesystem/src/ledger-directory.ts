import { mkdir, opendir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DIRECTORY_MODE, makeDirectory, syncDirectory } from './durable-files.ts';
import { FilesystemError, errnoOf } from './filesystem-error.ts';

/** What is being written; no partition's number, so no ledger's. */
export const LEDGER_TEMPORARIES = 'tmp';

/** Makes a directory for ledgers, or what is missing in it. Where one that stood there may be a disk that is not mounted, do not. */
export async function initLedgerDirectory(directory: string): Promise<void> {
  await inLedger(async () => {
    const root = resolve(directory);
    const first =
      (await mkdir(root, { recursive: true, mode: DIRECTORY_MODE }))?.length ?? Infinity;
    // Each directory that was made just now is a name in its parent.
    for (let made = root; made.length >= first; made = dirname(made))
      await syncDirectory(dirname(made));
    await openLedgerDirectory(root);
  });
}

/** Removes what crashed writers left half-written in a directory that must stand; their files in work fail, and are repeated. Throws `LEDGER_UNREACHABLE` (retry). */
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

/** What a failed system call in a ledger's directory means to its caller; anything else is given back as it is. */
export function ledgerError(cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  if (errno === 'ENOSPC' || errno === 'EDQUOT')
    return new FilesystemError({
      code: 'LEDGER_FULL',
      message: `Expected room for the ledger, found ${errno}. Free or add disk space; what waits is tried again.`,
      remedy: 'retry',
      cause,
    });
  return new FilesystemError({
    code: 'LEDGER_UNREACHABLE',
    remedy: 'retry',
    cause,
    message: `Expected the ledger's directory to stand on one mounted file system with hard links that this process may read and write, found ${errno}. Make, mount or repair it; what waits is tried again.`,
  });
}
