import { serviceOf, sitesInService } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { policyInForce, validPolicies } from '@residency/residency';
import type { PolicyDocument } from '@residency/residency';
import { BackOff } from '@residency/routing';
import type { PolicyView } from '@residency/routing';
import type { Sources } from './copy-sample.ts';
import type { CustodianSite } from './ports/custodian-site.ts';
import type { CustodianSites } from './ports/custodian-sites.ts';

export interface RegionSitesDeps {
  readonly region: string;
  readonly sites: CustodianSites;
  readonly policies: PolicyView;
  readonly control: () => ControlState;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
  /** Uniform, from 0 up to 1. */
  readonly random: () => number;
}

const RETRY = { firstMs: 1_000, mostMs: 30_000 };

interface SiteState {
  readonly backOff: BackOff;
  /** Not tried before this time. */
  retryAt: number;
  waiting: unknown;
}

/** Which sites a region has, which of them serve, and which of them answer. */
export class RegionSites implements Sources {
  readonly #deps: RegionSitesDeps;
  readonly #states = new Map<string, SiteState>();
  /** By all valid policy versions. */
  #known: ReadonlySet<string> = new Set();
  /** Out of service: nothing is asked of them. */
  #out: ReadonlySet<string> = new Set();

  constructor(deps: RegionSitesDeps) {
    this.#deps = deps;
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
    return sites;
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
    return this.isAway(name) ? 'away' : await this.open(name);
  }

  /** Throws as `CustodianSites.site`. */
  async open(name: string): Promise<CustodianSite> {
    return await this.#deps.sites.site(name);
  }

  /** It failed a short while ago. */
  isAway(name: string): boolean {
    return this.#deps.elapsed() < this.#state(name).retryAt;
  }

  /** The site is not asked again for a while. */
  failed(name: string, error: unknown): void {
    // Several calls fail at once; they are one failure.
    if (this.isAway(name)) return;
    const state = this.#state(name);
    state.waiting = error;
    state.retryAt = this.#deps.elapsed() + state.backOff.next();
  }

  answered(name: string): void {
    const state = this.#state(name);
    state.waiting = undefined;
    state.backOff.reset();
  }

  /** Why the site does not answer; `undefined`: it does. */
  waiting(name: string): unknown {
    return this.#states.get(name)?.waiting;
  }

  #state(site: string): SiteState {
    let state = this.#states.get(site);
    if (state === undefined)
      this.#states.set(
        site,
        (state = {
          backOff: new BackOff(RETRY, this.#deps.random),
          retryAt: -Infinity,
          waiting: undefined,
        }),
      );
    return state;
  }
}
