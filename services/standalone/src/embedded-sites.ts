import {
  FilesystemCustodianSite,
  FilesystemObjectStore,
  foldJournals,
  sweepTemporaries,
  verifySite,
} from '@residency/adapter-filesystem';
import type { CustodianSite } from '@residency/custodianship';
import { hasCode } from '@residency/coded-error';
import type { ObjectStore, Sites } from '@residency/routing';
import type { DataDirectory } from './data-directory.ts';
import { StandaloneError } from './standalone-error.ts';

/** Wraps a site's store; fault tests break it there. */
export type WrapStore = (store: ObjectStore) => ObjectStore;

/**
 * The sites of a data directory, each verified before its first use. Only for the holder of the
 * routing lock.
 */
export class EmbeddedSites implements Sites {
  readonly #data: Pick<DataDirectory, 'sitePath'>;
  readonly #wrap: WrapStore;
  readonly #open = new Map<string, Promise<ObjectStore>>();
  readonly #custodians = new Map<string, CustodianSite>();

  constructor(data: Pick<DataDirectory, 'sitePath'>, wrap: WrapStore) {
    this.#data = data;
    this.#wrap = wrap;
  }

  /** Throws the markers' errors of `verifySite`, and `SITE_NOT_CONFIGURED` for a missing site. */
  async store(site: string, region: string): Promise<ObjectStore> {
    const name = `${region}/${site}`;
    let store = this.#open.get(name);
    if (store === undefined) {
      store = this.#verified(site, region);
      this.#open.set(name, store);
      // A failure is not cached: the next call tries again.
      store.catch(() => {
        this.#open.delete(name);
      });
    }
    return await store;
  }

  /**
   * The site as a custodian uses it. Throws as `store`. What earlier writers left was removed when
   * the store was opened, so nothing of this one is.
   */
  async custodianSite(site: string, region: string): Promise<CustodianSite> {
    await this.store(site, region);
    const name = `${region}/${site}`;
    let custodian = this.#custodians.get(name);
    if (custodian === undefined) {
      custodian = new FilesystemCustodianSite(this.#data.sitePath(site), { region, site });
      this.#custodians.set(name, custodian);
    }
    return custodian;
  }

  async #verified(site: string, region: string): Promise<ObjectStore> {
    const directory = this.#data.sitePath(site);
    try {
      await verifySite(directory, { region, site });
    } catch (error) {
      if (!hasCode(error, 'SITE_MARKER_MISSING')) throw error;
      throw new StandaloneError({
        code: 'SITE_NOT_CONFIGURED',
        message: `Expected site ${site} of region ${region}, which a policy names, in ${directory}; found no marker there. Mount its disk, or restore the folder from a backup: it is not made again, because it may have held samples.`,
        remedy: 'retry',
        cause: error,
      });
    }
    // What earlier routers left. Only a router writes there, and this is the only one.
    await sweepTemporaries(directory, site);
    await foldJournals(directory, site);
    return this.#wrap(new FilesystemObjectStore(directory, { region, site }));
  }
}
