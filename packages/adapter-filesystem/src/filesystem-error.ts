import { CodedError, isFull, isOutOfHandles, systemFailure } from '@residency/coded-error';

export const FILESYSTEM_ERROR_CODES = [
  'SITE_FULL',
  'SITE_UNREACHABLE',
  'TOO_FEW_FILE_HANDLES',
  'SITE_MARKER_MISSING',
  'SITE_MARKER_MISMATCH',
  'SITE_NOT_EMPTY',
  'SITE_REPLACED',
  'METADATA_MISSING',
  'INVALID_OBJECT_KEY',
  'OBJECT_NOT_A_FILE',
  'LEDGER_FORK',
  'LEDGER_MOVED',
  'LEDGER_FULL',
  'LEDGER_UNREACHABLE',
  'INVALID_LEDGER_PATH',
  'STATE_UNREACHABLE',
  'STATE_FULL',
  'STATE_TAKEN',
  'STATE_DAMAGED',
  'KEYS_UNREACHABLE',
  'INVALID_KEY_NAME',
  'KEY_EXISTS',
  'KEY_UNKNOWN',
  'KEY_LAST',
] as const;
export type FilesystemErrorCode = (typeof FILESYSTEM_ERROR_CODES)[number];

export class FilesystemError extends CodedError<FilesystemErrorCode> {}

/** The operating system's name for a failure, such as `ENOENT`; `undefined` for anything else. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error &&
    'syscall' in error &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : undefined;
}

/**
 * Maps a failed system call in a site to a coded error. Returns other errors (coded already, or a
 * defect) unchanged.
 */
export function siteError(site: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  if (isOutOfHandles(errno)) return outOfHandles(errno, cause);
  if (isFull(errno)) {
    return new FilesystemError({
      code: 'SITE_FULL',
      message: `Expected room in site ${site}, found ${systemFailure(errno)}. What waits is tried again.`,
      remedy: 'retry',
      cause,
    });
  }
  return new FilesystemError({
    code: 'SITE_UNREACHABLE',
    message: `Expected the directory of site ${site}, as made by its initialisation, on one mounted file system with hard links that this process may read and write; found ${systemFailure(errno)}. Mount or repair it; what waits is tried again.`,
    remedy: 'retry',
    cause,
  });
}

/**
 * The error for too few file handles. It says nothing about the folder, because any open call would
 * have failed.
 */
export function outOfHandles(errno: string, cause: unknown): FilesystemError {
  return new FilesystemError({
    code: 'TOO_FEW_FILE_HANDLES',
    message: `Expected a free file handle, found ${systemFailure(errno)}. What waits is tried again.`,
    remedy: 'retry',
    cause,
  });
}

/** Runs `work` and maps failed system calls to the site's coded errors. */
export async function inSite<T>(site: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw siteError(site, cause);
  }
}
