import type { AuditEvent } from '@residency/contracts';

/** The region of a placed record, or the reason why it was not placed. */
export function placeOf(event: AuditEvent): string {
  return event.outcome === 'stored' || event.outcome === 'duplicate'
    ? event.data.decision.region
    : event.data.reason;
}
