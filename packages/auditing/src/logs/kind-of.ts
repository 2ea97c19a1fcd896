import { TOPICS, regionOfCustody } from '@residency/contracts';
import { AUDIT_LOG } from './audit-leaves.ts';
import { CUSTODY_LOG } from './custody-leaves.ts';
import type { LogKind } from './log-kind.ts';
import { RECORD_LOG, SALTED_LOG } from './record-leaves.ts';
import { isRecordLog } from './record-logs.ts';

/** `topic`: a log's that has a ledger. */
export function kindOf(topic: string): LogKind {
  if (isRecordLog(topic)) return topic === TOPICS.policy ? RECORD_LOG : SALTED_LOG;
  return regionOfCustody(topic) === undefined ? AUDIT_LOG : CUSTODY_LOG;
}
