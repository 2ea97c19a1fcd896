import type { Position } from '@residency/contracts';
import { partitionOf } from './audit-chain.ts';
import { SubmissionIndex } from './submission-index.ts';
import type { Unclaimed } from './submission-index.ts';

/**
 * By identity, the sites that list an object and the stored events that claim one. Takes most of a
 * run's memory: about a hundred bytes for each identity.
 */
export class Claims {
  readonly #index: SubmissionIndex;
  readonly #partitions = new Map<string, number>();

  constructor(sites: number) {
    this.#index = new SubmissionIndex(sites);
  }

  /** Records that the site lists an object of the identity. Returns `false` if that was known. */
  addListed(submission: string, site: number): boolean {
    return this.#index.addListed(submission, site);
  }

  /**
   * Records that a stored event claims the identity's objects in `sites`. Returns `elsewhere` if
   * another event claims the identity for other sites only, `again` if for some of the same.
   */
  addStored(
    submission: string,
    position: Position,
    sites: readonly number[],
  ): 'first' | 'elsewhere' | 'again' {
    return this.#index.addStored(submission, this.#at(position), sites);
  }

  /** Whether a stored event of the identity is about that record. */
  isStored(submission: string, position: Position): boolean {
    return this.#index.isStoredAt(submission, this.#at(position));
  }

  /** The objects that no stored event claims. Do not add anything during the iteration. */
  unclaimed(): Generator<Unclaimed> {
    return this.#index.unclaimed();
  }

  #at(position: Position): { readonly partition: number; readonly offset: bigint } {
    const name = partitionOf(position);
    const partition = this.#partitions.get(name) ?? this.#partitions.size;
    this.#partitions.set(name, partition);
    return { partition, offset: position.offset };
  }
}
