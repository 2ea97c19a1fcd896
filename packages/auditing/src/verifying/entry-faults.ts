import { defined } from '@residency/defined';
import { Capped } from '../capped.ts';
import type { AuditAnomalyKind } from '../growing/audit-anomaly.ts';
import { kindOf } from '../logs/kind-of.ts';
import type { CheckedLeaf, LeafCheck } from '../logs/log-kind.ts';

/** An entry that cannot be at its index in an honest log. */
export interface EntryFault {
  readonly code: AuditAnomalyKind;
  readonly index: number;
  /** Absent: the entry is not an event about an intake record. */
  readonly position?: string;
}

export interface FoundEntries {
  readonly total: number;
  readonly list: readonly EntryFault[];
}

const UNDECODABLE: CheckedLeaf = { faults: ['UNDECODABLE'] };

/**
 * Checks that the entries of a ledger are the events of one log: each once, in order, with none
 * missing.
 */
export class EntryFaults {
  readonly #check: LeafCheck;
  readonly #found: Capped<EntryFault>;

  constructor(topic: string, maxListed: number) {
    this.#check = kindOf(topic).check({ fromStart: true });
    this.#found = new Capped(maxListed);
  }

  /** `successor`: the first entry is the last checkpoint of the ledger before. */
  add(
    entries: readonly Uint8Array[],
    from: number,
    { successor }: { readonly successor: boolean },
  ): void {
    for (const [at, entry] of entries.entries()) {
      if (successor && from + at === 0) continue;
      const { faults, position } = this.#check.follow(entry) ?? UNDECODABLE;
      for (const code of faults)
        this.#found.add({ code, index: from + at, ...defined({ position }) });
    }
  }

  finish(): FoundEntries {
    const { total, list } = this.#found;
    return { total, list };
  }
}
