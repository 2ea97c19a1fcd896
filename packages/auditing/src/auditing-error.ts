import { CodedError } from '@residency/coded-error';

export const AUDITING_ERROR_CODES = [
  'LEDGER_FORK',
  'LEDGER_MOVED',
  'LEDGER_AHEAD_OF_LOG',
  'HEAD_AHEAD_OF_LOG',
  'LEDGER_ROLLED_BACK',
  'LEDGER_KEY_UNKNOWN',
  'KEPT_CHECKPOINT_INVALID',
  'NOT_IN_LEDGER',
  'LOG_DIFFERS',
  'INTAKE_SHORTER',
  'INTAKE_DIFFERS',
] as const;
export type AuditingErrorCode = (typeof AUDITING_ERROR_CODES)[number];

export class AuditingError extends CodedError<AuditingErrorCode> {}
