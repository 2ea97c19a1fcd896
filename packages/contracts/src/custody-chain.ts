import { custodyDigest } from './custody-event.ts';
import type { CustodyEvent } from './custody-event.ts';

/** How a custody event follows the ones before it. */
export type CustodyLink = 'next' | 'broken' | 'repeated';

interface Last {
  readonly sequence: number;
  readonly digest: string;
}

/** Checks that each region's custody events are numbered without a gap and name their predecessor. */
export class CustodyChain {
  readonly #last = new Map<string, Last>();

  /**
   * `next`: the event follows the one before it. `broken`: it does not; the chain continues behind
   * it. `repeated`: its number was there before; it changes nothing.
   */
  follow({ sequence, data }: CustodyEvent, value: Uint8Array): CustodyLink {
    const last = this.#last.get(data.region);
    if (last !== undefined && sequence <= last.sequence) return 'repeated';
    this.#last.set(data.region, { sequence, digest: custodyDigest(value) });
    return sequence === (last?.sequence ?? -1) + 1 && data.previous === (last?.digest ?? null)
      ? 'next'
      : 'broken';
  }
}
