import { decide, policyInForce, settleWith, validPolicies } from '@residency/residency';
import type { Instant, PolicyPublished, PolicyRegion, PolicyVersion } from '@residency/residency';
import { Rereads } from './rereads.ts';

/** A decision as an event claims it: `rule` placed `country` in `region` at `at`. */
export interface ClaimedDecision {
  readonly rule: string;
  readonly region: string;
  readonly country: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a reconciliation asks of the policy versions. */
export interface PolicyQuestions {
  /**
   * A region's sites in writing order, as that policy version orders them; `undefined` if the
   * version is unknown.
   */
  readonly sitesOf: (policyDigest: string, region: string) => readonly string[] | undefined;
  /**
   * The number of sites that must have a sample of the region, by that version; `undefined` as for
   * `sitesOf`.
   */
  readonly settleWithOf: (policyDigest: string, region: string) => number | undefined;
  /** Sites by region, of all valid versions together. */
  readonly regions: () => ReadonlyMap<string, ReadonlySet<string>>;
  /** Whether that policy version makes this decision. */
  readonly ruleHolds: (policyDigest: string, claimed: ClaimedDecision) => boolean;
  /**
   * Called before a version counts as unknown. After it, the other functions know every version
   * published before the call. Absent: they know all versions from the start.
   */
  readonly learn?: (policyDigest: string) => Promise<void>;
  /** The same, before a site counts as one that no version names. */
  readonly learnSite?: (site: string) => Promise<void>;
}

/** Every version published before the call, valid or not, in log order. */
export type ReadPolicies = () => Promise<readonly PolicyPublished[]>;

/**
 * The sites and decisions of all policy versions, for comparison. An unknown digest or site causes
 * one more read of the policy log.
 */
export class PolicyBook {
  readonly #read: ReadPolicies;
  readonly #rereads = new Rereads(() => this.#take());
  #byDigest: ReadonlyMap<string, PolicyPublished> = new Map();
  #regions: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  private constructor(read: ReadPolicies) {
    this.#read = read;
  }

  static async open(read: ReadPolicies): Promise<PolicyBook> {
    const book = new PolicyBook(read);
    await book.refresh();
    return book;
  }

  /** Sites by region, of all valid versions together. */
  get regions(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#regions;
  }

  /** See `policyInForce`. */
  inForce(at: Instant): PolicyVersion | undefined {
    return policyInForce([...this.#byDigest.values()], at);
  }

  /** For `ReconcileDeps`. */
  questions(): PolicyQuestions {
    return {
      sitesOf: (digest, region) => this.sitesOf(digest, region),
      settleWithOf: (digest, region) => {
        const found = this.#region(digest, region);
        return found === undefined ? undefined : settleWith(found);
      },
      regions: () => this.regions,
      ruleHolds: (digest, claimed) => this.ruleHolds(digest, claimed),
      learn: (digest) => this.learn(digest),
      learnSite: (site) => this.learnSite(site),
    };
  }

  /** See `PolicyQuestions.sitesOf`. */
  sitesOf(digest: string, region: string): readonly string[] | undefined {
    return this.#region(digest, region)?.sites;
  }

  #region(digest: string, region: string): PolicyRegion | undefined {
    return this.#byDigest.get(digest)?.document.regions.find(({ id }) => id === region);
  }

  /** See `PolicyQuestions.ruleHolds`. */
  ruleHolds(digest: string, { rule, region, country, at }: ClaimedDecision): boolean {
    const version = this.#byDigest.get(digest);
    const decided = version === undefined ? undefined : decide(version, country, at);
    return decided?.known === true && decided.rule.id === rule && decided.region === region;
  }

  /** See `PolicyQuestions.learn`. One more read of the policy log suffices: RECONCILIATION §5. */
  async learn(digest: string): Promise<void> {
    await this.#rereads.learn(digest, () => this.#byDigest.has(digest));
  }

  /** See `PolicyQuestions.learnSite`. One more read of the policy log suffices: RECONCILIATION §5. */
  async learnSite(site: string): Promise<void> {
    await this.#rereads.learn(site, () =>
      [...this.#regions.values()].some((sites) => sites.has(site)),
    );
  }

  async refresh(): Promise<void> {
    await this.#rereads.read();
  }

  async #take(): Promise<void> {
    const published = await this.#read();
    this.#byDigest = index(published);
    this.#regions = sitesByRegion(published);
  }
}

/** Sites by region, of all valid versions together, in the order in which they were first named. */
export function sitesByRegion(
  published: readonly PolicyPublished[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const regions = new Map<string, Set<string>>();
  for (const { id, sites } of validPolicies(published).flatMap(
    ({ document }) => document.regions,
  )) {
    regions.set(id, new Set([...(regions.get(id) ?? []), ...sites]));
  }
  return regions;
}

/**
 * Only valid versions. No router decides by an invalid one, so an event that names one has an
 * unknown policy.
 */
function index(published: readonly PolicyPublished[]): ReadonlyMap<string, PolicyPublished> {
  return new Map(validPolicies(published).map((version) => [version.digest, version]));
}
