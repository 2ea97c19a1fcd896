import { decide, invalidPolicies } from '@residency/residency';
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
  readonly #asked = new Set<string>();
  #published: readonly PolicyPublished[];
  #byDigest: ReadonlyMap<string, PolicyPublished>;

  private constructor(read: ReadPolicies, published: readonly PolicyPublished[]) {
    this.#read = read;
    this.#published = published;
    this.#byDigest = index(published);
  }

  static async open(read: ReadPolicies): Promise<PolicyBook> {
    return new PolicyBook(read, await read());
  }

  /** Sites by region, of all valid versions together. */
  get regions(): ReadonlyMap<string, ReadonlySet<string>> {
    return sitesByRegion(this.#published);
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
    if (this.#byDigest.has(digest) || this.#asked.has(digest) || this.#asked.size >= MAX_ASKED) return;
    this.#asked.add(digest);
    await this.refresh();
  }

  async refresh(): Promise<void> {
    this.#published = await this.#read();
    this.#byDigest = index(this.#published);
  }
}

/** Sites by region, of all valid versions together, in the order they were named. */
export function sitesByRegion(published: readonly PolicyPublished[]): ReadonlyMap<string, ReadonlySet<string>> {
  const invalid = new Set(invalidPolicies(published).map(({ published: version }) => version));
  const regions = new Map<string, Set<string>>();
  for (const { id, sites } of published.filter((version) => !invalid.has(version)).flatMap(({ document }) => document.regions)) {
    regions.set(id, new Set([...regions.get(id) ?? [], ...sites]));
  }
  return regions;
}

/** The first of a digest: a document that was published again is the same. */
function index(published: readonly PolicyPublished[]): ReadonlyMap<string, PolicyPublished> {
  return new Map(published.toReversed().map((version) => [version.digest, version]));
}
