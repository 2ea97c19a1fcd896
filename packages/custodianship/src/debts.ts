import { OffsetSets } from './offset-sets.ts';

/** The copies that a site of the region lacks. */
export interface SiteDebts {
  readonly owed: number;
  /** Append time T of the oldest record whose copy is owed, milliseconds; absent: none is. */
  readonly oldestAt?: number;
}

/**
 * Which copies are owed, one bit each, by site, partition and offset of the audit log. The events
 * are read again when the copies are made, so that a site may be away for days.
 */
export class Debts {
  readonly #due = new OffsetSets();
  readonly #oldestAt = new Map<string, number>();

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

  of(site: string): SiteDebts {
    const oldestAt = this.#oldestAt.get(site);
    const owed = this.#due.size(site);
    return oldestAt === undefined ? { owed } : { owed, oldestAt };
  }

  /** The first owed offset of a partition; `undefined`: none. */
  first(site: string, partition: number): bigint | undefined {
    return this.#due.first(site, String(partition));
  }

  clear(): void {
    this.#due.clear();
    this.#oldestAt.clear();
  }
}
