import { decodeAuditEvent } from '@residency/contracts';
import { lookupOf } from './audit-lookup.ts';
import type { AuditLookup, AuditWithLookup } from './audit-lookup.ts';

export function lookupDiffers({
  value,
  at,
  outcome,
  submission,
  region,
}: AuditWithLookup): boolean {
  if (value === null) return true;
  let expected: AuditLookup;
  try {
    expected = lookupOf(decodeAuditEvent(value));
  } catch {
    // The value is not an event, so nothing can be looked up. The audit check reports the record.
    return outcome !== null;
  }
  return (
    expected.at !== at ||
    expected.outcome !== outcome ||
    expected.submission !== submission ||
    expected.region !== region
  );
}
