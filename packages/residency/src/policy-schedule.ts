import type { Instant } from './instant.ts';
import { effectiveFrom, validPolicies } from './policy-in-force.ts';
import type { PolicyPublished } from './policy.ts';

/**
 * A version in force at every instant of `[from, until)`; `-Infinity` = since ever, `Infinity` =
 * open end.
 */
export interface InForce {
  readonly policy: PolicyPublished;
  readonly from: Instant;
  readonly until: Instant;
}

/**
 * The version of `published` (in log order) in force at each time: the result of `policyInForce`
 * for every instant. A version that was replaced before its start is absent. A higher number ends
 * when a lower one with a later `effectiveFrom` starts.
 */
export function policySchedule(published: readonly PolicyPublished[]): InForce[] {
  const starts = validPolicies(published)
    .map((policy) => ({ policy, from: effectiveFrom(policy.document) }))
    .toSorted((a, b) => compare(a.from, b.from));
  // The sort is stable and valid versions are in ascending order, so the highest of those with one
  // start comes last.
  const lasting = starts.filter(({ from }, index) => starts[index + 1]?.from !== from);
  return lasting.map(({ policy, from }, index) => ({
    policy,
    from,
    until: lasting[index + 1]?.from ?? Infinity,
  }));
}

/** Both may be -Infinity, and their difference would be NaN. */
function compare(a: Instant, b: Instant): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
