import { CodedError } from '@residency/coded-error';

/**
 * Reasons why the intake does not start; they need a person. The last two: it cannot accept
 * something yet, or now.
 */
export const INTAKE_ERROR_CODES = [
  'PORT_IN_USE',
  'LISTEN_REFUSED',
  'TOKENS_REQUIRED',
  'INVALID_TOKEN',
  'INTAKE_STARTING',
  'DECODER_FAILED',
] as const;
export type IntakeErrorCode = (typeof INTAKE_ERROR_CODES)[number];

export class IntakeError extends CodedError<IntakeErrorCode> {}
