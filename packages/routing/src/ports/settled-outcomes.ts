import type { AuditEvent, Position } from '@residency/contracts';

/** The outcome of an intake record, from the audit log. */
export type SettledOutcome =
  /** Final: an event never changes. */
  | { readonly state: 'settled'; readonly event: AuditEvent }
  /**
   * The record is in the log and has no event yet. An event whose transaction is still open counts
   * as none.
   */
  | { readonly state: 'unsettled' }
  /**
   * `foreign`: the position is of another log. `forgotten`: its event is no longer in the audit
   * log.
   */
  | { readonly state: 'foreign' | 'forgotten' }
  /** The log has not reached the position. */
  | { readonly state: 'beyond' };

/** Looks up the outcomes of single intake records in the audit log. */
export interface SettledOutcomes {
  /**
   * The outcome at some instant during the call. Throws with remedy `retry` if the log cannot be
   * read.
   */
  outcomeOf(position: Position): Promise<SettledOutcome>;
}
