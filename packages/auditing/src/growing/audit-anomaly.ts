export const AUDIT_ANOMALY_KINDS = [
  'HOLE',
  'REPEAT',
  'UNDECODABLE',
  'MISPLACED',
  'ALSO_IN',
] as const;
export type AuditAnomalyKind = (typeof AUDIT_ANOMALY_KINDS)[number];

/**
 * Something wrong with the audit log; its record is a leaf all the same. `HOLE`: an event before
 * this one is missing. `REPEAT`: its position was settled before. `UNDECODABLE`: no audit event.
 * `MISPLACED`: about a record of another log, topic or partition. `ALSO_IN`: the identity was
 * stored in another region too.
 */
export interface AuditAnomaly {
  readonly kind: AuditAnomalyKind;
  /** The position of the event's intake record; for `UNDECODABLE`, of the audit record. */
  readonly position: string;
  readonly leaf: number;
  readonly submission?: string;
}
