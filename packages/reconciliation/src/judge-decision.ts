import { formatPosition, objectKey } from '@residency/contracts';
import type { StoredEvent } from './check-object.ts';
import type { Difference } from './difference.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';

/** Faults of an event's decision and placements, without a look at the sites. */
export function* judgeDecision(
  { sitesOf, ruleHolds }: Pick<ReconcileDeps, 'sitesOf' | 'ruleHolds'>,
  event: StoredEvent,
): Generator<Difference> {
  const {
    submission,
    decision: { rule, region, policy },
    country,
    placements,
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
  if (
    sites.length !== placements.length ||
    placements.some(({ site, key }, i) => site !== sites[i] || key !== objectKey(submission))
  )
    yield {
      code: 'PLACEMENTS_INCOMPLETE',
      ...about,
      message:
        "Expected one placement at the submission's key in each site of the region, in the policy's order, found others.",
    };
  if (!ruleHolds(policy.digest, { rule, region, country, at: event.at }))
    yield {
      code: 'DECISION_DIFFERS',
      ...about,
      message:
        "Expected the rule the event names to place the event's country in its region at its time, found that the named policy version says otherwise.",
    };
}
