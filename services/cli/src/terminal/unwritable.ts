import { CliError } from './cli-error.ts';
import { printable } from './output.ts';
import { reason } from './reason.ts';

/**
 * Failures that the caller can mend by another name or other permissions. Any other is the disk's.
 */
const NAMED_WRONGLY: ReadonlySet<string> = new Set([
  'ENOENT',
  'EEXIST',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EPERM',
  'EROFS',
  'ELOOP',
  'ENAMETOOLONG',
]);

/**
 * `FILE_UNREADABLE` for an unusable name, `OUTPUT_UNWRITABLE` for a disk that is full or broken.
 * `option`: the option that named the file.
 */
export function unwritable(option: string, path: string, cause: unknown): CliError {
  const found = reason(cause);
  if (NAMED_WRONGLY.has(found))
    return new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected ${option} ${printable(path)} to be a name this user can write under, found ${found}; name another.`,
      remedy: 'stop',
      cause,
    });
  return new CliError({
    code: 'OUTPUT_UNWRITABLE',
    message: `Expected to write ${option} ${printable(path)}, found ${found}; what is there is not complete. Make room, or name another.`,
    remedy: 'stop',
    cause,
  });
}
