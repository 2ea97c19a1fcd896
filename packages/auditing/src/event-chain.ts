import type { AuditEvent } from '@residency/contracts';

export type ChainFault = 'HOLE' | 'REPEAT';

/** Follows `previous` and positions through each partition of the intake log: every record there has exactly one event, in order. */
export class EventChain {
  readonly #last = new Map<string, bigint>();
  readonly #fromStart: boolean;

  /** `fromStart: false`: the first event seen of a partition is believed, because what precedes it was left out. */
  constructor({ fromStart }: { readonly fromStart: boolean }) {
    this.#fromStart = fromStart;
  }

  /** `REPEAT`: the position is one already settled, or before it; the chain stays where it was. `HOLE`: `previous` names another position than the last; the chain goes on behind it. */
  follow({ position, data }: AuditEvent): ChainFault | undefined {
    const partition = `${position.log}/${position.topic}/${position.partition}`;
    const last = this.#last.get(partition);
    if (last !== undefined && position.offset <= last) return 'REPEAT';
    this.#last.set(partition, position.offset);
    if (last === undefined && !this.#fromStart) return undefined;
    return data.previous === (last?.toString() ?? null) ? undefined : 'HOLE';
  }
}
