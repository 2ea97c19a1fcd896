import { formatPosition, objectKey, sitesInService } from '@residency/contracts';
import type { ServiceHistory, StoredEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Difference } from './difference.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';

/**
 * Faults of an event's decision and placements, without a look at the sites. `services`: which sites
 * served.
 */
export function* judgeDecision(
  {
    sitesOf,
    settleWithOf,
    ruleHolds,
  }: Pick<ReconcileDeps, 'sitesOf' | 'settleWithOf' | 'ruleHolds'>,
  event: StoredEvent,
  services: Pick<ServiceHistory, 'of'>,
): Generator<Difference> {
  const {
    submission,
    decision: { rule, region, policy },
    country,
    placements,
    owed = [],
    arbiter: number = 0,
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
  const placed = placements.map(({ site }) => site);
  const service = services.of(region, number);
  const order = sitesInService(
    { ...defined({ arbiter: service?.arbiter }), out: new Map() },
    sites,
  );
  const named = (some: readonly string[]): readonly string[] =>
    order.filter((site) => some.includes(site));
  const absent = order.filter((site) => !placed.includes(site) && !owed.includes(site));
  if (
    service === undefined ||
    !isSame(placed, named(placed)) ||
    !isSame(owed, named(owed)) ||
    placed.some((site) => owed.includes(site)) ||
    absent.some((site) => !service.out.has(site)) ||
    placements.some(({ key }) => key !== objectKey(submission)) ||
    placed[0] !== order[0] ||
    placed.length <
      Math.min(settleWithOf(policy.digest, region) ?? sites.length, order.length - absent.length)
  )
    yield {
      code: 'PLACEMENTS_INCOMPLETE',
      ...about,
      message:
        "Expected each site of the region that served either with one placement at the submission's key or among the sites that owe a copy, the arbiter first and then in the policy's order; the arbiter and as many as settleWith asks for with a placement. Found otherwise.",
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
