import { decide, validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';

/** What an event says was decided: `rule` placed `country` in `region` at `at`. */
export interface ClaimedDecision {
  readonly rule: string;
  readonly region: string;
  readonly country: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Every version published before the call, valid or not, in log order. */
export type ReadPolicies = () => Promise<readonly PolicyPublished[]>;

/** Digests come from events and objects, so whoever writes those must not make us read without end. */
const MAX_ASKED = 1_000;

/** What policy versions say about sites and decisions, for who compares. Reads them again, once for each digest it does not know. */
export class PolicyBook {
  readonly #read: ReadPolicies;
  readonly #asked = new Map<string, Promise<void>>();
  /** Readings one after the other: an older one must not come last. */
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

  /** As `ReconcileDeps` has it. */
  sitesOf(digest: string, region: string): readonly string[] | undefined {
    return this.#byDigest.get(digest)?.document.regions.find(({ id }) => id === region)?.sites;
  }

  /** As `ReconcileDeps` has it. */
  ruleHolds(digest: string, { rule, region, country, at }: ClaimedDecision): boolean {
    const version = this.#byDigest.get(digest);
    const decided = version === undefined ? undefined : decide(version, country, at);
    return decided?.known === true && decided.rule.id === rule && decided.region === region;
  }

  /** As `ReconcileDeps` has it: a version is on its log before anybody decides under it. */
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

/** Sites by region, of all valid versions together, in the order they were named. */
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

/** The first of a digest: a document that was published again is the same. */
function index(published: readonly PolicyPublished[]): ReadonlyMap<string, PolicyPublished> {
  return new Map(published.toReversed().map((version) => [version.digest, version]));
}
