import { CodedError } from '@residency/coded-error';

export const OPERATIONS_ERROR_CODES = [
  'OPERATIONS_PORT_IN_USE',
  'OPERATIONS_LISTEN_REFUSED',
] as const;
export type OperationsErrorCode = (typeof OPERATIONS_ERROR_CODES)[number];

export class OperationsError extends CodedError<OperationsErrorCode> {}
