import { auditEventIn, formatPosition, namedOwner, parsePosition } from '@residency/contracts';
import type { AuditEvent, Position } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { AuditTrail } from './ports/audit-trail.ts';

/** The outcomes of all records of chosen submissions. */
export interface SubmissionOutcomes {
  /** `undefined`: no event of these submissions has this position. */
  outcomeAt(position: Position): AuditEvent['outcome'] | undefined;
  /**
   * The position at the end of a chain of duplicates, or of duplicates and conflicts; the position
   * itself if its event names nobody; `undefined`: the chain is a cycle.
   */
  endOf(position: Position, through: 'duplicates' | 'conflicts'): Position | undefined;
}

/** Reads all events once more, for a few submissions only: those with unresolved references. */
export async function readOutcomes(
  trail: Pick<AuditTrail, 'events'>,
  submissions: ReadonlySet<string>,
): Promise<SubmissionOutcomes> {
  const events = new Map<
    string,
    { readonly outcome: AuditEvent['outcome']; readonly of?: string }
  >();
  for await (const bytes of trail.events()) {
    const event = auditEventIn(bytes);
    if (event === undefined || !submissions.has(event.data.submission ?? '')) continue;
    events.set(formatPosition(event.position), {
      outcome: event.outcome,
      ...defined({ of: namedOwner(event)?.of }),
    });
  }
  return {
    outcomeAt: (position) => events.get(formatPosition(position))?.outcome,
    endOf: (position, through) => {
      const seen = new Set<string>();
      const nextOf = (place: string): string | undefined => {
        const event = events.get(place);
        return through === 'conflicts' || event?.outcome === 'duplicate' ? event?.of : undefined;
      };
      let at = formatPosition(position);
      for (let next = nextOf(at); next !== undefined; next = nextOf(at)) {
        if (seen.has(at)) return undefined;
        seen.add(at);
        at = next;
      }
      return parsePosition(at);
    },
  };
}
