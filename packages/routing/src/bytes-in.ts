import { formatPosition, objectKey } from '@residency/contracts';
import type { Position } from '@residency/contracts';
import type { Placeable } from './judge.ts';
import type { Sites } from './ports/sites.ts';

/**
 * The sites of the record's region that hold bytes of it, and those that cannot answer or are out of
 * service: a write that failed may have arrived. A tombstone has none of its bytes.
 */
export async function bytesIn(
  { sites: names, idle = [], judged: { submission, decision } }: Placeable,
  position: Position,
  sites: Sites,
): Promise<readonly string[]> {
  const [key, own] = [objectKey(submission), formatPosition(position)];
  const found = await Promise.all(
    names.map(async (site) => {
      try {
        const store = await sites.store(site, decision.region);
        const found = (await store.head(key))?.metadata;
        return found?.position === own && found.erased === undefined;
      } catch {
        return true;
      }
    }),
  );
  return [...names.filter((_, index) => found[index]), ...idle];
}
