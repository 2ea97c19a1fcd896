import { formatPosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { formatInstant } from '@residency/residency';

/** What became of a record, as an intake tells its publisher. */
export function outcomeOf(event: AuditEvent): Record<string, unknown> {
  const common = { outcome: event.outcome, position: formatPosition(event.position), at: formatInstant(event.at) };
  switch (event.outcome) {
    case 'stored':
      return { ...common, region: event.data.decision.region };
    case 'duplicate':
      return { ...common, region: event.data.decision.region, of: event.data.of };
    case 'refused':
    case 'quarantined':
      return { ...common, reason: event.data.reason };
    default:
      return event satisfies never;
  }
}

/** Where a placed record went, and why any other was not placed. */
export function placeOf(event: AuditEvent): string {
  return event.outcome === 'stored' || event.outcome === 'duplicate' ? event.data.decision.region : event.data.reason;
}
