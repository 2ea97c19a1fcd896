import type { AuditEvent } from '@residency/contracts';

export type ChainFault = 'HOLE' | 'REPEAT';

/**
 * Checks that every record of an intake partition has exactly one event, in order, by `previous`
 * and the positions.
 */
export class EventChain {
  readonly #last = new Map<string, bigint>();
  readonly #fromStart: boolean;

  /**
   * `fromStart: false`: the first event of each partition is accepted as it is, because the events
   * before it were not read.
   */
  constructor({ fromStart }: { readonly fromStart: boolean }) {
    this.#fromStart = fromStart;
  }

  /**
   * `REPEAT`: the position is at or before the last one; the chain does not move. `HOLE`:
   * `previous` names another position than the last; the chain moves on to this event.
   */
  follow({ position, data }: AuditEvent): ChainFault | undefined {
    const partition = `${position.log}/${position.topic}/${position.partition}`;
    const last = this.#last.get(partition);
    if (last !== undefined && position.offset <= last) return 'REPEAT';
    this.#last.set(partition, position.offset);
    if (last === undefined && !this.#fromStart) return undefined;
    return data.previous === (last?.toString() ?? null) ? undefined : 'HOLE';
  }
}
