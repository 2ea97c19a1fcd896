import { CodedError } from '@residency/coded-error';

export const RECONCILER_ERROR_CODES = [
  'STATE_OF_ANOTHER_LOG',
  'STATE_DAMAGED',
  'SITE_ELSEWHERE',
] as const;
export type ReconcilerErrorCode = (typeof RECONCILER_ERROR_CODES)[number];

export class ReconcilerError extends CodedError<ReconcilerErrorCode> {}
