import { CONSENT_REASONS } from '@residency/consent';

/** Why a record was quarantined, in the order of the checks (DESIGN §3); the first failure wins. */
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
] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** Why a record was refused. */
export const REFUSAL_REASONS = CONSENT_REASONS;

export const OUTCOMES = ['stored', 'duplicate', 'refused', 'quarantined'] as const;
export type Outcome = (typeof OUTCOMES)[number];
