import { regionOfCustody } from '@residency/contracts';
import { AUDIT_LOG } from './audit-leaves.ts';
import { CUSTODY_LOG } from './custody-leaves.ts';
import type { LogKind } from './log-kind.ts';

/** `topic`: the audit log's or a custody log's; those have ledgers. */
export function kindOf(topic: string): LogKind {
  return regionOfCustody(topic) === undefined ? AUDIT_LOG : CUSTODY_LOG;
}
