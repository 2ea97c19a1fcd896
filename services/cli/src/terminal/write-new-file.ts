import { open, rm, stat } from 'node:fs/promises';
import { hasCode } from '@residency/coded-error';
import { CliError } from './cli-error.ts';
import { printable } from './output.ts';
import { unwritable } from './unwritable.ts';

/**
 * Makes a file that only its owner reads, durable, whole or not at all. Throws `FILE_EXISTS`:
 * nothing is overwritten.
 */
export async function writeNewFile(path: string, bytes: Uint8Array, option: string): Promise<void> {
  let file;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (cause) {
    throw hasCode(cause, 'EEXIST') ? exists(option, path) : unwritable(option, path, cause);
  }
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw unwritable(option, path, error);
  } finally {
    await file.close();
  }
}

/** Before work that would be in vain. */
export async function refuseExisting(path: string, option: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw unwritable(option, path, error);
  }
  throw exists(option, path);
}

function exists(option: string, path: string): CliError {
  return new CliError({
    code: 'FILE_EXISTS',
    message: `Expected ${option} ${printable(path)} not to exist, found a file; nothing is overwritten. Name another.`,
    remedy: 'stop',
  });
}
