import { TOPICS } from '@residency/contracts';
import type { AuditRecord } from './audit-record.ts';

/**
 * The position of an audit record without the log's name: `residency.audit/<partition>/<offset>`.
 */
export function auditPlace({
  partition,
  offset,
}: Pick<AuditRecord, 'partition' | 'offset'>): string {
  return `${TOPICS.audit}/${partition}/${offset}`;
}
