/** How what an event says can differ from what is decided again. */
export const ADJUDICATION_CODES = [
  'EVENT_INVALID',
  'EVENT_INCOMPLETE',
  'NO_POLICY',
  'DECISION_DIFFERS',
  'PLACES_DIFFER',
  'CONSENT_DIFFERS',
  'TERMS_DIFFER',
  'REASON_DIFFERS',
] as const;
export type AdjudicationCode = (typeof ADJUDICATION_CODES)[number];

/** One event that does not follow from the policy and the consents of its time. */
export interface AdjudicationDifference {
  readonly code: AdjudicationCode;
  /** Of the intake record; of the audit record where it is no event. */
  readonly position: string;
  /** What the event says. Whoever wrote the log controls it. */
  readonly found: string;
  /** What follows. */
  readonly expected: string;
}
