import { decide, validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';

/** A decision as an event claims it: `rule` placed `country` in `region` at `at`. */
export interface ClaimedDecision {
  readonly rule: string;
  readonly region: string;
  readonly country: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Every version published before the call, valid or not, in log order. */
export type ReadPolicies = () => Promise<readonly PolicyPublished[]>;

/**
 * Most unknown digests for which the log is read again. Digests come from events and objects, so
 * their writers must not cause endless reading.
 */
const MAX_ASKED = 1_000;

/**
 * The sites and decisions of all policy versions, for comparison. An unknown digest causes one more
 * read of the policy log.
 */
export class PolicyBook {
  readonly #read: ReadPolicies;
  readonly #asked = new Map<string, Promise<void>>();
  /** Reads run one after the other, so that an older result never replaces a newer one. */
  #refreshed: Promise<void> = Promise.resolve();
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

  /** See `ReconcileDeps.sitesOf`. */
  sitesOf(digest: string, region: string): readonly string[] | undefined {
    return this.#byDigest.get(digest)?.document.regions.find(({ id }) => id === region)?.sites;
  }

  /** See `ReconcileDeps.ruleHolds`. */
  ruleHolds(digest: string, { rule, region, country, at }: ClaimedDecision): boolean {
    const version = this.#byDigest.get(digest);
    const decided = version === undefined ? undefined : decide(version, country, at);
    return decided?.known === true && decided.rule.id === rule && decided.region === region;
  }

  /** See `ReconcileDeps.learn`. One more read of the policy log suffices: RECONCILIATION §5. */
  async learn(digest: string): Promise<void> {
    if (this.#byDigest.has(digest)) return;
    if (!this.#asked.has(digest)) {
      if (this.#asked.size >= MAX_ASKED) return;
      this.#asked.set(digest, this.refresh());
    }
    await this.#asked.get(digest);
  }

  async refresh(): Promise<void> {
    this.#refreshed = this.#refreshed.catch(() => undefined).then(() => this.#take());
    await this.#refreshed;
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
