import { auditEventIn } from '@residency/contracts';
import { lookupOf } from './audit-lookup.ts';
import type { AuditWithLookup } from './audit-lookup.ts';

export function lookupDiffers({
  value,
  at,
  outcome,
  submission,
  region,
}: AuditWithLookup): boolean {
  if (value === null) return true;
  const event = auditEventIn(value);
  // Not an event, so nothing can be looked up. The audit check reports the record.
  if (event === undefined) return outcome !== null;
  const expected = lookupOf(event);
  return (
    expected.at !== at ||
    expected.outcome !== outcome ||
    expected.submission !== submission ||
    expected.region !== region
  );
}
