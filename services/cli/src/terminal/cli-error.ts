import { CodedError } from '@residency/coded-error';

export const CLI_ERROR_CODES = [
  'USAGE',
  'FILE_UNREADABLE',
  'FILE_EXISTS',
  'NOT_THERE',
  'INTERRUPTED',
  'SAMPLE_NOT_OPENED',
  'SAMPLE_ERASED',
  'UNSOUND',
  'POLICY_REFUSED',
  'SCRATCH_UNUSABLE',
  'OUTPUT_UNWRITABLE',
  'NOT_RECORDED',
  'PARTITIONS_MISSING',
  'READ_ONLY',
  'LEDGER_UNREACHABLE',
  'LEDGER_KEY_LOST',
  'CONFIGURATION_INCOMPLETE',
  'INTAKE_UNREACHABLE',
  'INTAKE_UNAVAILABLE',
  'DRAINING',
  'INTAKE_REFUSED',
  'TOKEN_REFUSED',
  'NOT_AN_INTAKE',
  'VAULT_UNREACHABLE',
  'VAULT_UNAVAILABLE',
  'NOT_A_VAULT',
  'SAMPLE_AWAY',
  'TRANSFER_BROKEN',
  'JOURNAL_UNREADABLE',
  'FOLDER_IN_USE',
  'SERVICE_UNREACHABLE',
  'NOT_A_SERVICE',
  'METRICS_UNREADABLE',
  'NO_ANSWER',
  'LAST_SITE',
  'NOTHING_TO_ABORT',
  'ARBITER_CHANGING',
  'WOULD_LOSE',
  'CHANGE_ENDED',
  'SITE_HAS_STRANGERS',
  'SITE_ARBITRATES',
  'COPIES_MISSING',
  'SUBMISSION_UNKNOWN',
  'CONSENT_UNKNOWN',
  'CONSENT_NOT_WITHDRAWN',
  'SUBJECT_UNKNOWN',
  'PLAN_CHANGED',
  'ON_HOLD',
  'ORDER_UNKNOWN',
  'HOLD_UNKNOWN',
  'HOLD_LIFTED_ALREADY',
] as const;
export type CliErrorCode = (typeof CLI_ERROR_CODES)[number];

export class CliError extends CodedError<CliErrorCode> {}

export function usage(message: string): CliError {
  return new CliError({ code: 'USAGE', message, remedy: 'stop' });
}

export function interrupted(): CliError {
  return new CliError({
    code: 'INTERRUPTED',
    message: 'Interrupted; what was done so far stays done.',
    remedy: 'stop',
  });
}
