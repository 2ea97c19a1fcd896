import { CodedError } from '@residency/coded-error';

export const CONTRACT_ERROR_CODES = [
  'INVALID_POSITION',
  'INVALID_POLICY',
  'INVALID_AUDIT_EVENT',
  'INVALID_CONSENT_EVENT',
  'INVALID_METADATA',
  'INVALID_CONTROL_EVENT',
  'INVALID_POINTER',
  'AUDIT_EVENT_TOO_LARGE',
  'INVALID_CUSTODY_EVENT',
  'CUSTODY_EVENT_TOO_LARGE',
] as const;
export type ContractErrorCode = (typeof CONTRACT_ERROR_CODES)[number];

export class ContractError extends CodedError<ContractErrorCode> {}
