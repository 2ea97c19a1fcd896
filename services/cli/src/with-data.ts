import { openDataDirectory } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';

/** Opens a data directory for the time of `work`; makes it where it is missing. */
export async function withData<T>(
  path: string,
  work: (data: DataDirectory) => Promise<T>,
): Promise<T> {
  const data = await openDataDirectory(path);
  try {
    return await work(data);
  } finally {
    await data.close();
  }
}
