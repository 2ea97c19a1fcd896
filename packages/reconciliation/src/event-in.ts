import { decodeAuditEvent } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';

/**
 * `undefined`: the bytes are not an audit event. Everybody who may write to the audit log controls
 * them.
 */
export function eventIn(bytes: Buffer): AuditEvent | undefined {
  try {
    return decodeAuditEvent(bytes);
  } catch {
    return undefined;
  }
}
