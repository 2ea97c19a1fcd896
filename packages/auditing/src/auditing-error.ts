import { CodedError } from '@residency/coded-error';

export const AUDITING_ERROR_CODES = [
  'LEDGER_FORK',
  'LEDGER_MOVED',
  'LEDGER_AHEAD_OF_LOG',
  'HEAD_AHEAD_OF_LOG',
  'NOT_IN_LEDGER',
] as const;
export type AuditingErrorCode = (typeof AUDITING_ERROR_CODES)[number];

export class AuditingError extends CodedError<AuditingErrorCode> {}
