import { OffsetSet } from './offset-set.ts';

/** The words of one set, for a register. */
export interface SavedSet {
  readonly site: string;
  readonly partition: string;
  readonly words: Uint32Array;
}

/** Sets of offsets by partition and site. */
export class OffsetSets {
  readonly #sets = new Map<string, Map<string, OffsetSet>>();

  has(site: string, partition: string, offset: bigint): boolean {
    return this.#sets.get(site)?.get(partition)?.has(offset) ?? false;
  }

  add(site: string, partition: string, offset: bigint): void {
    let ofSite = this.#sets.get(site);
    if (ofSite === undefined) this.#sets.set(site, (ofSite = new Map<string, OffsetSet>()));
    let set = ofSite.get(partition);
    if (set === undefined) ofSite.set(partition, (set = new OffsetSet()));
    set.add(offset);
  }

  delete(site: string, partition: string, offset: bigint): void {
    this.#sets.get(site)?.get(partition)?.delete(offset);
  }

  /** The number of offsets of a site, over all partitions. */
  size(site: string): number {
    return [...(this.#sets.get(site)?.values() ?? [])].reduce((sum, { size }) => sum + size, 0);
  }

  count(site: string, partition: string): number {
    return this.#sets.get(site)?.get(partition)?.size ?? 0;
  }

  first(site: string, partition: string): bigint | undefined {
    return this.#sets.get(site)?.get(partition)?.first;
  }

  /** A set of its own, with the same offsets. */
  copy(site: string, partition: string): OffsetSet {
    return OffsetSet.of(this.#sets.get(site)?.get(partition)?.words.slice() ?? new Uint32Array());
  }

  clear(site?: string): void {
    if (site === undefined) this.#sets.clear();
    else this.#sets.delete(site);
  }

  /** The sets that are not empty, as they are now: the words are this instance's own. */
  save(): readonly SavedSet[] {
    return [...this.#sets].flatMap(([site, sets]) =>
      [...sets]
        .filter(([, { size }]) => size > 0)
        .map(([partition, { words }]) => ({ site, partition, words })),
    );
  }

  /** The inverse of `save`. Keeps the words. */
  static of(saved: readonly SavedSet[]): OffsetSets {
    const sets = new OffsetSets();
    for (const { site, partition, words } of saved) {
      const ofSite = sets.#sets.get(site) ?? new Map<string, OffsetSet>();
      sets.#sets.set(site, ofSite.set(partition, OffsetSet.of(words)));
    }
    return sets;
  }
}
