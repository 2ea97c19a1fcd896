import { CodedError } from '@residency/coded-error';

export const SEALING_ERROR_CODES = [
  'NO_SEALING_KEY',
  'NOT_A_PUBLIC_KEY',
  'SEALING_FAILED',
  'NOT_A_SEALED_SAMPLE',
  'CONTEXT_INVALID',
  'WRONG_REGION',
  'NO_KEY_FOR_MESSAGE',
  'DOES_NOT_OPEN',
  'SAMPLE_DIGEST_MISMATCH',
] as const;
export type SealingErrorCode = (typeof SEALING_ERROR_CODES)[number];

/**
 * Its causes are dropped on purpose: what the SDK or OpenSSL say may repeat bytes of a message or a
 * key.
 */
export class SealingError extends CodedError<SealingErrorCode> {}
