import { CodedError } from '@residency/coded-error';

export const CUSTODIAN_ERROR_CODES = [
  'VAULT_UNUSABLE',
  'LEDGER_KEYS_MISSING',
  'VAULT_STARTING',
  'CONSENTS_BEHIND',
  'ISSUER_UNREACHABLE',
] as const;
export type CustodianErrorCode = (typeof CUSTODIAN_ERROR_CODES)[number];

export class CustodianError extends CodedError<CustodianErrorCode> {}
