import { auditEventIn, formatPosition } from '@residency/contracts';
import { Capped } from '../capped.ts';
import { EventChain } from '../event-chain.ts';
import type { ChainFault } from '../event-chain.ts';

/** An entry that cannot be at its index in an honest log. */
export interface EntryFault {
  readonly code: ChainFault | 'UNDECODABLE';
  readonly index: number;
  /** Absent: the entry is not an event. */
  readonly position?: string;
}

export interface FoundEntries {
  readonly total: number;
  readonly list: readonly EntryFault[];
}

/**
 * Checks that the entries of a ledger are the events of one partition: each once, in order, with
 * none missing.
 */
export class EntryFaults {
  readonly #chain = new EventChain({ fromStart: true });
  readonly #found: Capped<EntryFault>;

  constructor(maxListed: number) {
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
      const event = auditEventIn(entry);
      const code = event === undefined ? 'UNDECODABLE' : this.#chain.follow(event);
      if (code !== undefined)
        this.#found.add({
          code,
          index: from + at,
          ...(event === undefined ? {} : { position: formatPosition(event.position) }),
        });
    }
  }

  finish(): FoundEntries {
    const { total, list } = this.#found;
    return { total, list };
  }
}
