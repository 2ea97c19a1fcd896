import { CodedError } from '@residency/coded-error';

export const STANDALONE_ERROR_CODES = ['NOT_A_DATA_DIRECTORY', 'DATA_DIRECTORY_NEWER', 'DATA_DIRECTORY_BUSY', 'DATA_DIRECTORY_UNUSABLE', 'NO_SEALING_KEY', 'SITE_NOT_CONFIGURED'] as const;
export type StandaloneErrorCode = (typeof STANDALONE_ERROR_CODES)[number];

export class StandaloneError extends CodedError<StandaloneErrorCode> {}
