import { CodedError } from '@residency/coded-error';

/** Why the intake does not start; all of them need a person. */
export const INTAKE_ERROR_CODES = ['PORT_IN_USE', 'LISTEN_REFUSED', 'TOKENS_REQUIRED', 'INVALID_TOKEN'] as const;
export type IntakeErrorCode = (typeof INTAKE_ERROR_CODES)[number];

export class IntakeError extends CodedError<IntakeErrorCode> {}
