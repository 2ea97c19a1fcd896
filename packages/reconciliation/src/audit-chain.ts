import { formatPosition } from '@residency/contracts';
import type { AuditEvent, Position } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Difference } from './difference.ts';

export type Committed = ReadonlyMap<string, bigint>;

const NOTHING = -1n;

/** The partition of the intake log, as `AuditTrail.committed()` names it. */
export function partitionOf({ log, topic, partition }: Position): string {
  return `${log}/${topic}/${partition}`;
}

/**
 * Checks that every record of the intake log has exactly one event, by the offsets and the
 * `previous` of each partition's events.
 */
export class AuditChain {
  readonly #last = new Map<string, bigint>();

  /**
   * Returns the fault of the event's place in its partition, if any. After a hole the chain
   * continues behind it; a repeated event changes nothing.
   */
  follow({ position, data }: AuditEvent): Difference | undefined {
    const partition = partitionOf(position);
    const last = this.#last.get(partition);
    const submission = defined({ submission: data.submission });
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
   * Partitions whose last event is not their last settled record. `before` was read before the
   * events, `after` after them (RECONCILIATION §17).
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
   * Whether a router may still work on the record: the record is in the log, and its event need not
   * be among the events that were read (RECONCILIATION §8). `end` was read after the object or
   * event that names the position (RECONCILIATION §1).
   */
  isInFlight(position: Position, before: Committed, end: Committed): boolean {
    const partition = partitionOf(position);
    // This log has no such partition, so no router works on the record or will settle it.
    if (position.offset >= (end.get(partition) ?? 0n)) return false;
    return position.offset > (before.get(partition) ?? NOTHING) && !this.isRead(position);
  }

  /** Whether the position is at or before its partition's last event that was read. */
  isRead(position: Position): boolean {
    return position.offset <= (this.#last.get(partitionOf(position)) ?? NOTHING);
  }
}
