/** Every kind of difference that a reconciliation can find. */
export const DIFFERENCE_CODES = [
  // In the audit trail.
  'AUDIT_EVENT_INVALID',
  'POSITION_TWICE',
  'PREVIOUS_BROKEN',
  'LAST_EVENT_MISMATCH',
  'PLACEMENTS_INCOMPLETE',
  'POLICY_UNKNOWN',
  'DECISION_DIFFERS',
  'DUPLICATE_OF_UNKNOWN',
  'CONFLICT_WITH_UNKNOWN',
  'STORED_TWICE',
  'ADOPTED_WRONGLY',
  'POINTER_MISSING',
  'POINTER_WITHOUT_EVENT',
  'LOOKUP_DIFFERS',
  // In the custody logs.
  'CUSTODY_EVENT_INVALID',
  'CUSTODY_CHAIN_BROKEN',
  'CUSTODY_OF_UNKNOWN',
  'COPY_OF_ANOTHER',
  'COPY_DIFFERS',
  'COPIED_TWICE',
  'COPIED_AFTER_ERASURE',
  'ERASED_WITHOUT_ORDER',
  'COPIED_AFTER_LOSS',
  'LOST_AFTER_ERASURE',
  'LOST_TWICE',
  'LOST_WITHOUT_ORDER',
  // In the object of a stored event.
  'SITE_NOT_READ',
  'OBJECT_MISSING',
  'OBJECT_REPLACED',
  'METADATA_MISSING',
  'METADATA_DIFFERS',
  'SIZE_DIFFERS',
  'CIPHERTEXT_DIFFERS',
  'CONTEXT_DIFFERS',
  'DOES_NOT_OPEN',
  'OPENED_DIFFERS',
  // In the place of an erased sample.
  'ERASED_BUT_PRESENT',
  'TOMBSTONE_MISSING',
  // In other objects of a site.
  'LOST_BUT_PRESENT',
  'OBJECT_WITHOUT_EVENT',
  'WRONG_REGION',
  'FOREIGN_OBJECT',
  'FOREIGN_SITE',
] as const;
export type DifferenceCode = (typeof DIFFERENCE_CODES)[number];

/**
 * One difference. Positions, ids and keys are in members of their own; `message` repeats no value
 * from outside.
 */
export interface Difference {
  readonly code: DifferenceCode;
  readonly site?: string;
  readonly key?: string;
  readonly position?: string;
  readonly submission?: string;
  readonly message: string;
}
