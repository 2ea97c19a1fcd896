import { CodedError } from '@residency/coded-error';

export const SEALING_ERROR_CODES = [
  'NO_SEALING_KEY',
  'NOT_A_PUBLIC_KEY',
  'SEALING_FAILED',
  'NOT_A_SEALED_SAMPLE',
  'CONTEXT_INVALID',
  'WRONG_REGION',
  'NO_KEY_FOR_MESSAGE',
  'UNWRAP_REFUSED',
  'UNWRAP_UNREACHABLE',
  'DOES_NOT_OPEN',
  'SAMPLE_DIGEST_MISMATCH',
] as const;
export type SealingErrorCode = (typeof SEALING_ERROR_CODES)[number];

/**
 * Its causes are dropped on purpose: what the SDK or OpenSSL say may repeat bytes of a message or a
 * key.
 */
export class SealingError extends CodedError<SealingErrorCode> {}

export function noKeyForMessage(region: string): SealingError {
  return new SealingError({
    code: 'NO_KEY_FOR_MESSAGE',
    message: `Expected the private key that wrapped this sample, found none of region ${region}; bring back the key named in the object's metadata.`,
    remedy: 'stop',
  });
}

export function doesNotOpen(): SealingError {
  return new SealingError({
    code: 'DOES_NOT_OPEN',
    message:
      "Expected an unaltered message wrapped with this region's key; it does not open. The bytes were altered, truncated or added to, or the key is another under the same id.",
    remedy: 'stop',
  });
}
