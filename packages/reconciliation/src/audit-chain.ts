import { formatPosition } from '@residency/contracts';
import type { AuditEvent, Position } from '@residency/contracts';
import type { Difference } from './difference.ts';

export type Committed = ReadonlyMap<string, bigint>;

const NOTHING = -1n;

/** The key of `AuditTrail.committed()`. */
export function partitionOf({ log, topic, partition }: Position): string {
  return `${log}/${topic}/${partition}`;
}

/** Follows `previous` and offsets through each partition: every record of the intake log has exactly one event. */
export class AuditChain {
  readonly #last = new Map<string, bigint>();

  /** What is wrong with the event's place in its partition. After a hole the chain goes on behind it; a repeat changes nothing. */
  follow({ position, data }: AuditEvent): Difference | undefined {
    const partition = partitionOf(position);
    const last = this.#last.get(partition);
    const submission = data.submission === undefined ? {} : { submission: data.submission };
    if (last !== undefined && position.offset <= last) {
      return {
        code: 'POSITION_TWICE',
        position: formatPosition(position),
        ...submission,
        message:
          'Expected one audit event a record in offset order, found one at or before a position already settled; two routers may have settled one partition.',
      };
    }
    this.#last.set(partition, position.offset);
    if (data.previous === (last?.toString() ?? null)) return undefined;
    return {
      code: 'PREVIOUS_BROKEN',
      position: formatPosition(position),
      ...submission,
      message:
        'Expected the event to name the position settled before it, found another; an audit event before this one is missing.',
    };
  }

  /**
   * Partitions whose last event is not their last settled record. While routers run a partition moves between the
   * readings: `before` was read before the events, `after` after them, and the last event read must lie between.
   */
  *mismatches(before: Committed, after: Committed): Generator<Difference> {
    for (const partition of new Set([...before.keys(), ...after.keys(), ...this.#last.keys()])) {
      const last = this.#last.get(partition) ?? NOTHING;
      const missing = last < (before.get(partition) ?? NOTHING);
      if (!missing && last <= (after.get(partition) ?? NOTHING)) continue;
      const found = missing
        ? 'found the committed position beyond it; audit events at the end are missing'
        : 'found it beyond the committed position; progress was lost or set back';
      yield {
        code: 'LAST_EVENT_MISMATCH',
        position: `${partition}/${last === NOTHING ? 0n : last}`,
        message: `Expected a partition's last audit event to stand at its committed position, ${found}.`,
      };
    }
  }

  /**
   * Whether the record may be in work: it stands in the log, and its event, if it has one, was not to be among those
   * read. `end` was read once whoever names the position had done so: a record is in the log before anything names it.
   */
  isInFlight(position: Position, before: Committed, end: Committed): boolean {
    const partition = partitionOf(position);
    // No partition of this log: nobody is at work on it, and nobody will ever settle it.
    if (position.offset >= (end.get(partition) ?? 0n)) return false;
    return position.offset > (before.get(partition) ?? NOTHING) && !this.isRead(position);
  }

  /** Whether the position stands at or before its partition's last event read. */
  isRead(position: Position): boolean {
    return position.offset <= (this.#last.get(partitionOf(position)) ?? NOTHING);
  }
}
