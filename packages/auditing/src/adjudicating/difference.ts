/** The ways in which an event can differ from a new decision. */
export const ADJUDICATION_CODES = [
  'EVENT_INVALID',
  'EVENT_INCOMPLETE',
  'NO_POLICY',
  'DECISION_DIFFERS',
  'PLACES_DIFFER',
  'CONSENT_DIFFERS',
  'TERMS_DIFFER',
  'REASON_DIFFERS',
  'OWNER_DIFFERS',
  'CONFLICT_WITH_EQUAL',
  'ERASURE_DIFFERS',
] as const;
export type AdjudicationCode = (typeof ADJUDICATION_CODES)[number];

/** One event that does not follow from the policy and the consents of its time, or from another event. */
export interface AdjudicationDifference {
  readonly code: AdjudicationCode;
  /** The position of the intake record. If the record is not an event: of the audit record. */
  readonly position: string;
  /** The value in the event. The log's writers control it. */
  readonly found: string;
  /** The value of the new decision. */
  readonly expected: string;
}
