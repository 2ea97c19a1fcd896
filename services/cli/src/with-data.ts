import { stat } from 'node:fs/promises';
import { hasCode } from '@residency/coded-error';
import { openDataDirectory } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';

/** Opens a data directory for the time of `work`; makes it where it is missing. */
export async function withData<T>(path: string, work: (data: DataDirectory) => Promise<T>): Promise<T> {
  const data = await openDataDirectory(path);
  try {
    return await work(data);
  } finally {
    await data.close();
  }
}

/** False: nothing stands there, and asking a question should not make keys. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
