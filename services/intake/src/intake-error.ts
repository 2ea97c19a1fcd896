import { CodedError } from '@residency/coded-error';

/** Reasons why the intake cannot accept something yet, or now. */
export const INTAKE_ERROR_CODES = ['INTAKE_STARTING', 'DECODER_FAILED'] as const;
export type IntakeErrorCode = (typeof INTAKE_ERROR_CODES)[number];

export class IntakeError extends CodedError<IntakeErrorCode> {}
