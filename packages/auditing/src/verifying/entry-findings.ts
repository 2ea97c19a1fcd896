import { formatPosition } from '@residency/contracts';
import { Capped } from '../capped.ts';
import { eventOf } from '../decode-record.ts';
import { EventChain } from '../event-chain.ts';
import type { ChainFault } from '../event-chain.ts';

/** An entry that stands where no honest log has one. */
export interface EntryFinding {
  readonly code: ChainFault | 'UNDECODABLE';
  readonly index: number;
  /** Absent: the entry is no event. */
  readonly position?: string;
}

export interface FoundEntries {
  readonly total: number;
  readonly list: readonly EntryFinding[];
}

/** Whether the entries of a ledger are the events of one partition: each once, in order, none left out. */
export class EntryFindings {
  readonly #chain = new EventChain({ fromStart: true });
  readonly #found: Capped<EntryFinding>;

  constructor(maxListed: number) {
    this.#found = new Capped(maxListed);
  }

  add(entries: readonly Uint8Array[], from: number): void {
    for (const [at, entry] of entries.entries()) {
      const event = eventOf({ value: Buffer.from(entry.buffer, entry.byteOffset, entry.length) });
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
