import { stat } from 'node:fs/promises';
import { hasCode } from '@residency/coded-error';

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
