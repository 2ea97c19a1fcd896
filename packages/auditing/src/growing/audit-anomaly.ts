export const AUDIT_ANOMALY_KINDS = [
  'HOLE',
  'REPEAT',
  'UNDECODABLE',
  'MISPLACED',
  'ALSO_IN',
  'REPEATED_KEY',
  'MISSING',
] as const;
export type AuditAnomalyKind = (typeof AUDIT_ANOMALY_KINDS)[number];

/**
 * Something wrong with a log that has a ledger; its record is a leaf all the same. `HOLE`: an event
 * before this one is missing, or is not the one that it names. `REPEAT`: its position was settled
 * before, or its number was there before. `UNDECODABLE`: no event of this log. `MISPLACED`: about a
 * record of another log, topic or partition, or of another region. `ALSO_IN`: the identity was
 * stored in another region too. `REPEATED_KEY`: compaction removes the record that had the key
 * before. `MISSING`: the log no longer has a record that the ledger has.
 */
export interface AuditAnomaly {
  readonly kind: AuditAnomalyKind;
  /** The position of the event's intake record; if it is about none, of the record itself. */
  readonly position: string;
  readonly leaf: number;
  readonly submission?: string;
}
