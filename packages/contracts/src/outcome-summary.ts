import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import type { AuditEvent } from './audit-event.ts';
import { formatPosition } from './position.ts';
import type { Outcome } from './reasons.ts';

/**
 * The parts of an audit event that a publisher needs. The consent id and the sample's digest stay
 * in the audit log.
 */
export interface OutcomeSummary {
  readonly outcome: Outcome;
  readonly position: string;
  /** RFC 3339: the record's append time. */
  readonly at: string;
  readonly region?: string;
  /** The position of the record that owns the identity, of a duplicate or a conflict. */
  readonly of?: string;
  readonly reason?: string;
}

export function outcomeSummary(event: AuditEvent): OutcomeSummary {
  const common = {
    outcome: event.outcome,
    position: formatPosition(event.position),
    at: formatInstant(event.at),
  };
  switch (event.outcome) {
    case 'stored':
      return { ...common, region: event.data.decision.region };
    case 'duplicate':
      return { ...common, region: event.data.decision.region, of: event.data.of };
    case 'refused':
      return { ...common, reason: event.data.reason };
    case 'quarantined':
      return { ...common, reason: event.data.reason, ...defined({ of: event.data.of }) };
    default:
      return event satisfies never;
  }
}
