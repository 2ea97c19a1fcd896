import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { AuditRecord } from './audit-record.ts';

/**
 * `undefined`: the record is not an audit event. Everybody with write access to the audit log
 * controls it. Readers count it and continue.
 */
export function eventOf({ value }: Pick<AuditRecord, 'value'>): AuditEvent | undefined {
  if (value === null) return undefined;
  try {
    return decodeAuditEvent(value);
  } catch {
    return undefined;
  }
}

/**
 * The position of an audit record without the log's name: `residency.audit/<partition>/<offset>`.
 */
export function auditPlace({
  partition,
  offset,
}: Pick<AuditRecord, 'partition' | 'offset'>): string {
  return `${TOPICS.audit}/${partition}/${offset}`;
}
