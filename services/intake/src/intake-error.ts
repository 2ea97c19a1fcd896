import { CodedError } from '@residency/coded-error';

/** Why the intake does not start, which needs a person; the last: it has not yet. */
export const INTAKE_ERROR_CODES = [
  'PORT_IN_USE',
  'LISTEN_REFUSED',
  'TOKENS_REQUIRED',
  'INVALID_TOKEN',
  'INTAKE_STARTING',
] as const;
export type IntakeErrorCode = (typeof INTAKE_ERROR_CODES)[number];

export class IntakeError extends CodedError<IntakeErrorCode> {}
