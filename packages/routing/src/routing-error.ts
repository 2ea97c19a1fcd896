import { CodedError } from '@residency/coded-error';

/**
 * All but the last two end a batch early and are tried again; none says anything about a record's own content.
 * `SETTLEMENT_INVALID` is a defect of the use case, found before anything is settled.
 */
export const ROUTING_ERROR_CODES = [
  'VIEW_BEHIND',
  'POLICY_MISSING',
  'ROUTING_PAUSED',
  'ROUTING_ABORTED',
  'EARLIER_BLOCKED',
  'NO_SEALING_KEY',
  'SETTLEMENT_INVALID',
] as const;
export type RoutingErrorCode = (typeof ROUTING_ERROR_CODES)[number];

export class RoutingError extends CodedError<RoutingErrorCode> {}
