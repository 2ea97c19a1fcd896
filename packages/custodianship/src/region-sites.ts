import { serviceOf, sitesInService } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { policyInForce, validPolicies } from '@residency/residency';
import type { PolicyDocument } from '@residency/residency';
import type { PolicyView } from '@residency/routing';
import type { Sources } from './copy-sample.ts';
import type { CustodianSite } from './ports/custodian-site.ts';
import type { CustodianSites } from './ports/custodian-sites.ts';
import { SiteBackOffs } from './site-back-offs.ts';
import type { SiteBackOffsDeps } from './site-back-offs.ts';

export interface RegionSitesDeps extends SiteBackOffsDeps {
  readonly region: string;
  readonly sites: CustodianSites;
  readonly policies: PolicyView;
  readonly control: () => ControlState;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

/** Which sites a region has, which of them serve, and which of them answer. */
export class RegionSites implements Sources {
  readonly #deps: RegionSitesDeps;
  /** Of calls of any kind. */
  readonly calls: SiteBackOffs;
  /** Of erasing alone: a store that refuses to delete versions may take copies. */
  readonly erasing: SiteBackOffs;
  /** By all valid policy versions. */
  #known: ReadonlySet<string> = new Set();
  /** Out of service: nothing is asked of them. */
  #out: ReadonlySet<string> = new Set();
  #awaited: readonly string[] = [];

  constructor(deps: RegionSitesDeps) {
    this.#deps = deps;
    this.calls = new SiteBackOffs(deps);
    this.erasing = new SiteBackOffs(deps);
  }

  /** Looks at policies and orders anew. Returns the sites in service, the arbiter first. */
  async find(): Promise<readonly string[]> {
    const { region, policies, control, now } = this.#deps;
    const { versions } = await policies.read();
    const ofRegion = ({ regions }: PolicyDocument): readonly string[] =>
      regions.find(({ id }) => id === region)?.sites ?? [];
    this.#known = new Set(validPolicies(versions).flatMap(({ document }) => ofRegion(document)));
    const inForce = policyInForce(versions, now());
    const service = serviceOf(control(), region);
    const sites = inForce === undefined ? [] : sitesInService(service, ofRegion(inForce.document));
    this.#out = new Set([...service.out.keys()].filter((site) => !sites.includes(site)));
    this.#awaited = [...this.#out].filter((site) => !service.retired.has(site));
    return sites;
  }

  /** Out of service, and expected back: they may have copies. */
  get awaited(): readonly string[] {
    return this.#awaited;
  }

  /** False for a site of no policy version: its marker may be another region's. */
  isKnown(site: string): boolean {
    return this.#known.has(site);
  }

  isOut(site: string): boolean {
    return this.#out.has(site);
  }

  mayAsk(site: string): boolean {
    return this.isKnown(site) && !this.isOut(site);
  }

  async site(name: string): Promise<CustodianSite | 'away' | 'unknown'> {
    if (!this.mayAsk(name)) return 'unknown';
    return this.calls.isAway(name) ? 'away' : await this.open(name);
  }

  /** Throws as `CustodianSites.site`. */
  async open(name: string): Promise<CustodianSite> {
    return await this.#deps.sites.site(name);
  }

  failed(name: string, error: unknown): void {
    this.calls.failed(name, error);
  }

  answered(name: string): void {
    this.calls.answered(name);
  }
}
