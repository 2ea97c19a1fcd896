import { CodedError } from '@residency/coded-error';

export const STANDALONE_ERROR_CODES = [
  'NOT_A_DATA_DIRECTORY',
  'DATA_DIRECTORY_NEWER',
  'DATA_DIRECTORY_BUSY',
  'DATA_DIRECTORY_UNUSABLE',
  'SITE_NOT_CONFIGURED',
  'LOG_LOST',
  'LEDGER_KEY_LOST',
  'SEALING_KEYS_LOST',
  'CHECKPOINTS_UNUSABLE',
] as const;
export type StandaloneErrorCode = (typeof STANDALONE_ERROR_CODES)[number];

export class StandaloneError extends CodedError<StandaloneErrorCode> {}
