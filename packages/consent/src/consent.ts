import { defined } from '@residency/defined';

/** The purpose that every sample needs (ISO/IEC TS 27560 "purpose"). */
export const SAMPLE_SHARING = 'threat-sample-sharing';

export interface ConsentGranted {
  readonly kind: 'granted';
  readonly consentId: string;
  readonly purposes: readonly string[];
  readonly termsVersion: string;
  /** Lower-case hex SHA-256 of the terms as shown; absent: the publisher did not give it. */
  readonly termsSha256?: string;
}
export interface ConsentWithdrawn {
  readonly kind: 'withdrawn';
  readonly consentId: string;
}
export type ConsentEvent = ConsentGranted | ConsentWithdrawn;

/** `[from, until)` in append time, milliseconds; `until` absent: still given. */
export interface ConsentInterval {
  readonly from: number;
  readonly until?: number;
  readonly purposes: readonly string[];
  readonly termsVersion: string;
  readonly termsSha256?: string;
}

/** All intervals of one consent id, in order, without overlaps. Empty: there was no grant. */
export type ConsentHistory = readonly ConsentInterval[];

export const CONSENT_REASONS = ['CONSENT_UNKNOWN', 'CONSENT_WITHDRAWN', 'CONSENT_PURPOSE'] as const;
export type ConsentReason = (typeof CONSENT_REASONS)[number];

export type ConsentDecision =
  | { readonly given: true; readonly termsVersion: string }
  | { readonly given: false; readonly reason: ConsentReason };

/**
 * Adds one event, in log order. A grant during an open interval ends it and begins a new one (other
 * terms or purposes). A withdrawal without a grant changes nothing. A grant and a withdrawal in one
 * millisecond leave an empty interval, so the withdrawal wins.
 */
export function evolve(history: ConsentHistory, event: ConsentEvent, at: number): ConsentHistory {
  const closed = close(history, at);
  switch (event.kind) {
    case 'withdrawn':
      return closed;
    case 'granted':
      return [
        ...closed,
        {
          from: at,
          purposes: event.purposes,
          termsVersion: event.termsVersion,
          ...defined({ termsSha256: event.termsSha256 }),
        },
      ];
    default:
      return event satisfies never;
  }
}

function close(history: ConsentHistory, at: number): ConsentHistory {
  const last = history.at(-1);
  if (last === undefined || last.until !== undefined) return history;
  return [...history.slice(0, -1), { ...last, until: at }];
}

/**
 * Whether consent for `purpose` was given at append time `at`. Pure; an unknown id has an empty
 * history.
 */
export function gate(
  history: ConsentHistory,
  at: number,
  purpose: string = SAMPLE_SHARING,
): ConsentDecision {
  const interval = history.find(
    ({ from, until }) => from <= at && (until === undefined || at < until),
  );
  if (interval !== undefined) {
    return interval.purposes.includes(purpose)
      ? { given: true, termsVersion: interval.termsVersion }
      : { given: false, reason: 'CONSENT_PURPOSE' };
  }
  return {
    given: false,
    reason: history.some(({ from }) => from <= at) ? 'CONSENT_WITHDRAWN' : 'CONSENT_UNKNOWN',
  };
}
