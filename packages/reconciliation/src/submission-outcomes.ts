import { auditEventIn, formatPosition, parsePosition } from '@residency/contracts';
import type { AuditEvent, Position } from '@residency/contracts';
import type { AuditTrail } from './ports/audit-trail.ts';

/** The outcomes of all records of chosen submissions. */
export interface SubmissionOutcomes {
  /** `undefined`: no event of these submissions has this position. */
  outcomeAt(position: Position): AuditEvent['outcome'] | undefined;
  /**
   * The position at the end of a chain of duplicates; the position itself if it is not a duplicate;
   * `undefined`: the chain is a cycle.
   */
  endOf(position: Position): Position | undefined;
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
      ...(event.outcome === 'duplicate' ? { of: event.data.of } : {}),
    });
  }
  return {
    outcomeAt: (position) => events.get(formatPosition(position))?.outcome,
    endOf: (position) => {
      const seen = new Set<string>();
      let at = formatPosition(position);
      for (let next = events.get(at)?.of; next !== undefined; next = events.get(at)?.of) {
        if (seen.has(at)) return undefined;
        seen.add(at);
        at = next;
      }
      return parsePosition(at);
    },
  };
}
