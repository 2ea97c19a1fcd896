import type { Position } from '@residency/contracts';
import { partitionOf } from './audit-chain.ts';
import { SubmissionIndex } from './submission-index.ts';

/** An identity with listed objects that no stored event claims. Sites are numbers. */
export interface Unclaimed {
  readonly submission: string;
  /** Sites that list its object. */
  readonly sites: readonly number[];
  /** Sites that list bytes which were set aside for it. */
  readonly setAside: readonly number[];
  /** Sites in which stored events claim its objects. */
  readonly claimed: readonly number[];
  /** Whether there is a stored event of a sample that is not lost. */
  readonly stored: boolean;
  /** Sites of the regions in which a sample of the identity is lost. */
  readonly lost: readonly number[];
}

/**
 * By identity, the sites that list an object and the stored events that claim one; and the same for
 * bytes that were set aside. Takes most of a run's memory: about a hundred bytes for each identity.
 */
export class Claims {
  readonly #index: SubmissionIndex;
  readonly #partitions = new Map<string, number>();
  /** Two places in the index for each site: `n` for the object, `#sites + n` for what was set aside. */
  readonly #sites: number;

  constructor(sites: number) {
    this.#sites = sites;
    this.#index = new SubmissionIndex(2 * sites);
  }

  /** Records that the site lists an object of the identity. Returns `false` if that was known. */
  addListed(submission: string, site: number): boolean {
    return this.#index.addListed(submission, site);
  }

  /** Records that the site lists bytes that were set aside for the identity. */
  addSetAside(submission: string, site: number): void {
    this.#index.addListed(submission, this.#sites + site);
  }

  /** Whether the site lists bytes that were set aside for the identity. */
  isSetAside(submission: string, site: number): boolean {
    return this.#index.isListed(submission, this.#sites + site);
  }

  /**
   * Records that a stored event claims the identity's objects in `sites`, and what was set aside for
   * it in all sites of its region. Returns `elsewhere` if another event claims the identity for other
   * sites only, `again` if for some of the same.
   */
  addStored(
    submission: string,
    position: Position,
    { sites, region }: { readonly sites: readonly number[]; readonly region: readonly number[] },
  ): 'first' | 'elsewhere' | 'again' {
    return this.#index.addStored(submission, this.#at(position), [
      ...sites,
      ...region.map((site) => this.#sites + site),
    ]);
  }

  /**
   * Records a stored event whose sample is lost. `sites`: in which it claims an object all the same,
   * because the sample was erased since. What was set aside for it may stay.
   */
  addLost(
    submission: string,
    position: Position,
    { sites, region }: { readonly sites: readonly number[]; readonly region: readonly number[] },
  ): void {
    this.#index.addLost(submission, this.#at(position), {
      claimed: [...sites, ...region.map((site) => this.#sites + site)],
      lost: region,
    });
  }

  /** Whether a stored event of the identity is about that record. */
  isStored(submission: string, position: Position): boolean {
    return this.#index.isStoredAt(submission, this.#at(position));
  }

  /** The objects that no stored event claims. Do not add anything during the iteration. */
  *unclaimed(): Generator<Unclaimed> {
    for (const { submission, places, claimed, stored, lost } of this.#index.unclaimed())
      yield {
        submission,
        sites: places.filter((place) => place < this.#sites),
        setAside: places
          .filter((place) => place >= this.#sites)
          .map((place) => place - this.#sites),
        claimed: claimed.filter((place) => place < this.#sites),
        stored,
        lost,
      };
  }

  #at(position: Position): { readonly partition: number; readonly offset: bigint } {
    const name = partitionOf(position);
    const partition = this.#partitions.get(name) ?? this.#partitions.size;
    this.#partitions.set(name, partition);
    return { partition, offset: position.offset };
  }
}
