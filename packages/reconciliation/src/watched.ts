import type { MarkerWatch } from '@residency/contracts';
import type { FoundObject, SiteReader } from './ports/site-reader.ts';

/**
 * A reader that verifies the site's marker before its first use, after a failure and once a minute.
 * An object counts as absent only if the marker is still right after the read, because another
 * folder or bucket lacks all objects. Throws the errors of `watch`; a wrong marker has the remedy
 * `stop`.
 */
export function watched(reader: SiteReader, watch: MarkerWatch): SiteReader {
  return {
    site: reader.site,
    list: (prefix) => watchedList(reader.list(prefix), watch),
    read: async (key) => {
      const found = await doubting(watch, () => reader.read(key));
      if (found === undefined) await again(watch);
      return found;
    },
  };
}

/** A list of a site, verified as that of `watched`: whole only if the marker is right at its end. */
export async function* watchedList<T>(
  list: AsyncIterable<T>,
  watch: MarkerWatch,
): AsyncGenerator<T> {
  await watch.fresh();
  try {
    for await (const entry of list) {
      await watch.fresh();
      yield entry;
    }
  } catch (error) {
    watch.doubt();
    throw error;
  }
  await again(watch);
}

async function doubting(
  watch: MarkerWatch,
  read: () => Promise<FoundObject | undefined>,
): Promise<FoundObject | undefined> {
  await watch.fresh();
  try {
    return await read();
  } catch (error) {
    watch.doubt();
    throw error;
  }
}

async function again(watch: MarkerWatch): Promise<void> {
  watch.doubt();
  await watch.fresh();
}
