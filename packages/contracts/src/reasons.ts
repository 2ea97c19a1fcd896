import { CONSENT_REASONS } from '@residency/consent';

/** The reasons for quarantine, in the order of the checks (DESIGN §3). The first failure wins. */
export const QUARANTINE_REASONS = [
  'UNDECODABLE',
  'UNKNOWN_TYPE',
  'INVALID_ATTRIBUTE',
  'CLASSIFICATION_UNKNOWN',
  'TOO_LARGE',
  'EMPTY_SAMPLE',
  'COUNTRY_UNKNOWN',
  'DIGEST_MISMATCH',
  'IDENTITY_CONFLICT',
  // Not the result of a check: the record made a check throw, or a person set it aside.
  'UNPROCESSABLE',
] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** The reasons for refusal. `ERASED`: a sample of this identity was erased. */
export const REFUSAL_REASONS = [...CONSENT_REASONS, 'ERASED'] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export const OUTCOMES = ['stored', 'duplicate', 'refused', 'quarantined'] as const;
export type Outcome = (typeof OUTCOMES)[number];
