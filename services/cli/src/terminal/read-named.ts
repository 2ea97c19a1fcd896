import { readFile } from 'node:fs/promises';
import { CliError } from './cli-error.ts';
import { printable } from './output.ts';
import { reason } from './reason.ts';

/** A file the caller named. Throws `FILE_UNREADABLE`. */
export async function readNamed(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, what, cause);
  }
}

export function unreadable(path: string, what: string, cause: unknown): CliError {
  return new CliError({
    code: 'FILE_UNREADABLE',
    message: `Expected ${what} (${printable(path)}) to be a file this user can read, found ${reason(cause)}; correct its name or its permissions.`,
    remedy: 'stop',
    cause,
  });
}
