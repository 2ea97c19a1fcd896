import type { ObjectStore } from './object-store.ts';

/** The sites of a deployment. */
export interface Sites {
  /**
   * The store of `site`, verified to be that site in that region. The same one each time. A site that a policy names
   * later than this process started is opened when it is first asked for. Throws with remedy `retry` where the
   * deployment has none such or can not reach it, and with `stop` where its marker names another (DESIGN §2.9).
   */
  store(site: string, region: string): Promise<ObjectStore>;
}
