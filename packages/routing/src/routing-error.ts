import { CodedError } from '@residency/coded-error';

/**
 * All but the last three end a batch early and are retried. Only `RECORD_BLOCKED` may concern a
 * record's own content; `SET_ASIDE_REFUSED` is the same for a record that was set aside and may
 * have bytes in a site. `SITES_DISAGREE` is retried until a person has repaired the sites.
 * `LOG_REWOUND`: the log is not the one that was routed. `SETTLEMENT_INVALID` is a defect of the
 * use case, found before anything is settled.
 */
export const ROUTING_ERROR_CODES = [
  'VIEW_BEHIND',
  'POLICY_MISSING',
  'ROUTING_PAUSED',
  'ARBITER_CLOSING',
  'ARBITER_UNKNOWN',
  'CLAIM_UNKNOWN',
  'ROUTING_ABORTED',
  'EARLIER_BLOCKED',
  'OWNER_UNSETTLED',
  'SITES_DISAGREE',
  'RECORD_BLOCKED',
  'SET_ASIDE_REFUSED',
  'VIEW_UNREADABLE',
  'LOG_REWOUND',
  'NO_SEALING_KEY',
  'SETTLEMENT_INVALID',
] as const;
export type RoutingErrorCode = (typeof ROUTING_ERROR_CODES)[number];

export class RoutingError extends CodedError<RoutingErrorCode> {}
