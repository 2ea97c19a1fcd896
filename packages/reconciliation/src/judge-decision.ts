import { formatPosition, objectKey } from '@residency/contracts';
import type { StoredEvent } from './check-object.ts';
import type { Difference } from './difference.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';

/** Faults of an event's decision and placements, without a look at the sites. */
export function* judgeDecision(
  {
    sitesOf,
    settleWithOf,
    ruleHolds,
  }: Pick<ReconcileDeps, 'sitesOf' | 'settleWithOf' | 'ruleHolds'>,
  event: StoredEvent,
): Generator<Difference> {
  const {
    submission,
    decision: { rule, region, policy },
    country,
    placements,
    owed = [],
  } = event.data;
  const about = { position: formatPosition(event.position), submission };
  const sites = sitesOf(policy.digest, region);
  if (sites === undefined) {
    yield {
      code: 'POLICY_UNKNOWN',
      ...about,
      message:
        'Expected a policy version that has the decided region under the digest the event names, found none; its sites are taken from the event.',
    };
    return;
  }
  const owes = new Set(owed);
  if (
    !isSame(
      placements.map(({ site }) => site),
      sites.filter((site) => !owes.has(site)),
    ) ||
    !isSame(
      owed,
      sites.filter((site) => owes.has(site)),
    ) ||
    placements.some(({ key }) => key !== objectKey(submission)) ||
    placements[0]?.site !== sites[0] ||
    placements.length < (settleWithOf(policy.digest, region) ?? sites.length)
  )
    yield {
      code: 'PLACEMENTS_INCOMPLETE',
      ...about,
      message:
        "Expected each site of the region either with one placement at the submission's key or among the sites that owe a copy, both in the policy's order; the first site and as many as settleWith asks for with a placement. Found otherwise.",
    };
  if (!ruleHolds(policy.digest, { rule, region, country, at: event.at }))
    yield {
      code: 'DECISION_DIFFERS',
      ...about,
      message:
        "Expected the rule the event names to place the event's country in its region at its time, found that the named policy version says otherwise.",
    };
}

function isSame(found: readonly string[], expected: readonly string[]): boolean {
  return found.length === expected.length && found.every((site, i) => site === expected[i]);
}
