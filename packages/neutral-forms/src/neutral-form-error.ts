import { CodedError } from '@residency/coded-error';

export const NEUTRAL_FORM_ERROR_CODES = ['NAME_INVALID', 'DIGEST_DIFFERS'] as const;
export type NeutralFormErrorCode = (typeof NEUTRAL_FORM_ERROR_CODES)[number];

export class NeutralFormError extends CodedError<NeutralFormErrorCode> {}
