import type { ObjectStore, Owable } from './object-store.ts';

/** The sites of a deployment. */
export interface Sites {
  /**
   * The store of `site`, after its marker was verified. Returns the same store each time. A site
   * that a later policy names is opened on first use. Throws with remedy `retry` if the deployment
   * has no such site or cannot reach it, and with `stop` if its marker names another site or region
   * (DESIGN §2.9).
   */
  store(site: string, region: string, options?: Owable): Promise<ObjectStore>;
}
