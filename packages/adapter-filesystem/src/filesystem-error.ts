import { CodedError } from '@residency/coded-error';

export const FILESYSTEM_ERROR_CODES = [
  'SITE_FULL',
  'SITE_UNREACHABLE',
  'SITE_MARKER_MISSING',
  'SITE_MARKER_MISMATCH',
  'SITE_NOT_EMPTY',
  'METADATA_MISSING',
  'INVALID_OBJECT_KEY',
  'LEDGER_FORK',
  'LEDGER_MOVED',
  'LEDGER_FULL',
  'LEDGER_UNREACHABLE',
  'INVALID_LEDGER_PATH',
  'STATE_UNREACHABLE',
  'STATE_FULL',
  'STATE_TAKEN',
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

/** What a failed system call in a site means to its caller; anything else (coded already, or a defect) is given back as it is. */
export function siteError(site: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new FilesystemError({
      code: 'SITE_FULL',
      message: `Expected room in site ${site}, found ${errno}. Free or add disk space; what waits is tried again.`,
      remedy: 'retry',
      cause,
    });
  }
  return new FilesystemError({
    code: 'SITE_UNREACHABLE',
    message: `Expected the directory of site ${site}, as made by its initialisation, on one mounted file system with hard links that this process may read and write; found ${errno}. Mount or repair it; what waits is tried again.`,
    remedy: 'retry',
    cause,
  });
}

/** Runs `work`; a system call that failed in it becomes the site's coded error. */
export async function inSite<T>(site: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw siteError(site, cause);
  }
}
