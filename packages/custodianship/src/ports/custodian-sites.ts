import type { CustodianSite } from './custodian-site.ts';

/** The sites of one region, with a custodian's credentials. */
export interface CustodianSites {
  /**
   * The site, after its marker was verified. Returns the same site each time. Throws with remedy
   * `retry` if the deployment has no such site or cannot reach it, and with `stop` if its marker
   * names another site or region (DESIGN §2.9).
   */
  site(name: string): Promise<CustodianSite>;
}
