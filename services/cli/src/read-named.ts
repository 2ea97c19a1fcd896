import { readFile } from 'node:fs/promises';
import { CliError } from './cli-error.ts';

/** A file the caller named. Throws `FILE_UNREADABLE`. */
export async function readNamed(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const found = cause instanceof Error && 'code' in cause ? String(cause.code) : 'something else';
    throw new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected ${what} to be a file this user can read, found ${found}; correct its name or its permissions.`,
      remedy: 'stop',
      cause,
    });
  }
}
