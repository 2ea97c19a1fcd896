import type { FollowedLoss } from './read-losses.ts';
import type { PlannedSample } from './loss-plan.ts';

/** What open orders still do about samples, and what is left to order. */
export interface AskedBefore {
  /** The acts of those orders. */
  readonly acts: readonly string[];
  /** Submissions that none of them gives up. */
  readonly rest: readonly string[];
}

/**
 * Compares samples of one region with the orders so far. An order that refused a sample does nothing
 * more about it, although another sample may keep the order open.
 */
export function askedBefore(
  samples: readonly Pick<PlannedSample, 'position' | 'region' | 'submission'>[],
  losses: readonly FollowedLoss[],
): AskedBefore {
  const open = losses.filter(({ closedAt }) => closedAt === undefined);
  const acts = new Set<string>();
  const rest = new Set<string>();
  for (const { submission, position, region } of samples) {
    const asked = open.filter(
      ({ order, results }) =>
        order.region === region &&
        order.submissions.includes(submission) &&
        !results.some((one) => one.state === 'refused' && one.position === position),
    );
    for (const { order } of asked) acts.add(order.act);
    if (asked.length === 0) rest.add(submission);
  }
  return { acts: [...acts], rest: [...rest].toSorted() };
}
