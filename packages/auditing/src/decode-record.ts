import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { AuditRecord } from './audit-record.ts';

/** `undefined`: the record is no audit event. Whoever may write to the audit log controls it; a reader counts it and goes on. */
export function eventOf({ value }: Pick<AuditRecord, 'value'>): AuditEvent | undefined {
  if (value === null) return undefined;
  try {
    return decodeAuditEvent(value);
  } catch {
    return undefined;
  }
}

/** Where a record of the audit log stands, without the log's name: `residency.audit/<partition>/<offset>`. */
export function auditPlace({
  partition,
  offset,
}: Pick<AuditRecord, 'partition' | 'offset'>): string {
  return `${TOPICS.audit}/${partition}/${offset}`;
}
