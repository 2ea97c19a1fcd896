import { CodedError } from '@residency/coded-error';

export const S3_ERROR_CODES = [
  'SITE_UNREACHABLE',
  'SITE_REFUSED',
  'SITE_MISSING',
  'SITE_BUSY',
  'SITE_FULL',
  'SITE_FAILED',
  'SITE_CONTENDED',
  'SITE_NOT_CONFIGURED',
  'SITE_MARKER_MISSING',
  'SITE_MARKER_MISMATCH',
  'SITE_REGION_MISMATCH',
  'SITE_NOT_EMPTY',
  'SITE_NOT_CREATE_ONLY',
  'INVALID_SITE_SETTINGS',
  'INVALID_OBJECT_KEY',
  'METADATA_MISSING',
  'LEDGER_FORK',
  'LEDGER_MOVED',
  'LEDGER_NOT_CONDITIONAL',
  'INVALID_LEDGER_PATH',
] as const;
export type S3ErrorCode = (typeof S3_ERROR_CODES)[number];

export class S3Error extends CodedError<S3ErrorCode> {}
