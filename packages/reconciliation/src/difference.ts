/** What can be found not to be so. */
export const DIFFERENCE_CODES = [
  // The trail
  'AUDIT_EVENT_INVALID',
  'POSITION_TWICE',
  'PREVIOUS_BROKEN',
  'LAST_EVENT_MISMATCH',
  'PLACEMENTS_INCOMPLETE',
  'POLICY_UNKNOWN',
  'DECISION_DIFFERS',
  'DUPLICATE_OF_UNKNOWN',
  'POINTER_MISSING',
  'POINTER_WITHOUT_EVENT',
  'LOOKUP_DIFFERS',
  // A stored event's object in a site
  'SITE_NOT_READ',
  'OBJECT_MISSING',
  'METADATA_MISSING',
  'METADATA_DIFFERS',
  'SIZE_DIFFERS',
  'CIPHERTEXT_DIFFERS',
  'CONTEXT_DIFFERS',
  'DOES_NOT_OPEN',
  'OPENED_DIFFERS',
  // What a site holds beyond that
  'OBJECT_WITHOUT_EVENT',
  'WRONG_REGION',
  'FOREIGN_OBJECT',
  'FOREIGN_SITE',
] as const;
export type DifferenceCode = (typeof DIFFERENCE_CODES)[number];

/** One thing that is not so. Positions, ids and keys stand in their members; `message` repeats no value found. */
export interface Difference {
  readonly code: DifferenceCode;
  readonly site?: string;
  readonly key?: string;
  readonly position?: string;
  readonly submission?: string;
  readonly message: string;
}
