export const FINDING_KINDS = ['HOLE', 'REPEAT', 'UNDECODABLE', 'MISPLACED', 'ALSO_IN'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/**
 * Something wrong with the audit log; its record is a leaf all the same. `HOLE`: an event before this one is missing. `REPEAT`: its position was settled
 * before. `UNDECODABLE`: no audit event. `MISPLACED`: about a record of another log, topic or partition. `ALSO_IN`: the identity was stored in another region too.
 */
export interface Finding {
  readonly kind: FindingKind;
  /** Of the record the event is about; `UNDECODABLE`: of the audit record itself. */
  readonly position: string;
  readonly leaf: number;
  readonly submission?: string;
}
