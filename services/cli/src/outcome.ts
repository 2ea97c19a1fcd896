import type { AuditEvent } from '@residency/contracts';

/** Where a placed record went, and why any other was not placed. */
export function placeOf(event: AuditEvent): string {
  return event.outcome === 'stored' || event.outcome === 'duplicate'
    ? event.data.decision.region
    : event.data.reason;
}
