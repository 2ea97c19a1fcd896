import { CodedError } from '@residency/coded-error';

/** All of them end a batch early and are tried again; none says anything about a record's own content. */
export const ROUTING_ERROR_CODES = ['VIEW_BEHIND', 'POLICY_MISSING', 'ROUTING_ABORTED', 'EARLIER_BLOCKED'] as const;
export type RoutingErrorCode = (typeof ROUTING_ERROR_CODES)[number];

export class RoutingError extends CodedError<RoutingErrorCode> {}
