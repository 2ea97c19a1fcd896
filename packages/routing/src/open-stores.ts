import { remedyOf } from '@residency/coded-error';
import { mayOwe } from './claim.ts';
import type { Placeable } from './judge.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Sites } from './ports/sites.ts';

/**
 * The stores of the record's sites, in writing order. A later site that cannot be opened and may be
 * owed gets a store that fails as the opening did. Throws as `Sites.store`.
 */
export async function openStores(
  { sites: names, settleWith, judged: { decision } }: Placeable,
  sites: Sites,
): Promise<readonly ObjectStore[]> {
  return await Promise.all(
    names.map(async (site, index) => {
      const owable = index > 0 && mayOwe(settleWith, names);
      try {
        return await sites.store(site, decision.region, { owable });
      } catch (error) {
        if (!owable || remedyOf(error) !== 'retry') throw error;
        return awayStore(site, error);
      }
    }),
  );
}

/** Stands for a site that cannot be reached: every request fails with `error`. */
function awayStore(site: string, error: unknown): ObjectStore {
  const fail = async (): Promise<never> => {
    throw error;
  };
  return { site, create: fail, head: fail, flush: async () => undefined };
}
