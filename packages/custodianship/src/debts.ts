import type { OffsetSet } from './offset-set.ts';
import { OffsetSets } from './offset-sets.ts';
import type { SavedSet } from './offset-sets.ts';

/** The copies that a site of the region lacks. */
export interface SiteDebts {
  readonly owed: number;
  /** Append time T of the oldest record whose copy is owed, milliseconds; absent: none is. */
  readonly oldestAt?: number;
}

/** For a register. */
export interface SavedDebts {
  readonly due: readonly SavedSet[];
  readonly oldestAt: readonly (readonly [site: string, at: number])[];
}

/**
 * Which copies are owed, one bit each, by site, partition and offset of the audit log. The events
 * are read again when the copies are made, so that a site may be away for days.
 */
export class Debts {
  readonly #due: OffsetSets;
  readonly #oldestAt: Map<string, number>;

  /** `saved`: kept, and changed. */
  constructor(saved: SavedDebts = { due: [], oldestAt: [] }) {
    this.#due = OffsetSets.of(saved.due);
    this.#oldestAt = new Map(saved.oldestAt);
  }

  /** Call in the order of offsets within a partition. `at`: the record's append time. */
  add(site: string, partition: number, offset: bigint, at: number): void {
    this.#due.add(site, String(partition), offset);
    this.#oldestAt.set(site, Math.min(at, this.#oldestAt.get(site) ?? at));
  }

  has(site: string, partition: number, offset: bigint): boolean {
    return this.#due.has(site, String(partition), offset);
  }

  paid(site: string, partition: number, offset: bigint): void {
    this.#due.delete(site, String(partition), offset);
    if (this.#due.size(site) === 0) this.#oldestAt.delete(site);
  }

  /** After a pass over all debts of a site: the oldest that it left. */
  left(site: string, oldestAt: number | undefined): void {
    if (oldestAt === undefined || this.#due.size(site) === 0) this.#oldestAt.delete(site);
    else this.#oldestAt.set(site, oldestAt);
  }

  /** The number of copies that a site lacks of one partition. */
  count(site: string, partition: number): number {
    return this.#due.count(site, String(partition));
  }

  /** The owed offsets of one partition, in a set of its own. */
  offsets(site: string, partition: number): OffsetSet {
    return this.#due.copy(site, String(partition));
  }

  of(site: string): SiteDebts {
    const oldestAt = this.#oldestAt.get(site);
    const owed = this.#due.size(site);
    return oldestAt === undefined ? { owed } : { owed, oldestAt };
  }

  /** The first owed offset of a partition; `undefined`: none. */
  first(site: string, partition: number): bigint | undefined {
    return this.#due.first(site, String(partition));
  }

  /** As they are now: the words are this instance's own. */
  save(): SavedDebts {
    return { due: this.#due.save(), oldestAt: [...this.#oldestAt] };
  }

  copy(): Debts {
    const { due, oldestAt } = this.save();
    return new Debts({ due: due.map((set) => ({ ...set, words: set.words.slice() })), oldestAt });
  }

  clear(): void {
    this.#due.clear();
    this.#oldestAt.clear();
  }
}
