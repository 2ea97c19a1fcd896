import { defined } from '@residency/defined';
import { openDataDirectory } from '@residency/standalone/data-directory';
import type { DataDirectory } from '@residency/standalone';
import type { Common } from '../terminal/command.ts';

/** Opens a data directory for the time of `work`; makes it where it is missing. */
export async function withData<T>(
  { data: path, checkpoints }: Pick<Common, 'data' | 'checkpoints'>,
  work: (data: DataDirectory) => Promise<T>,
): Promise<T> {
  const data = await openDataDirectory(path, defined({ checkpoints }));
  try {
    return await work(data);
  } finally {
    await data.close();
  }
}
