import { decide, policyInForce } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import type { ClaimedSites, DecisionClaim } from './claim.ts';
import type { AdjudicationDifference } from './difference.ts';

/**
 * Decides the claim's country under the version in force at its T. `undefined`: the result equals
 * the event's.
 */
export function decideAgain(
  claim: DecisionClaim,
  published: readonly PolicyPublished[],
): AdjudicationDifference | undefined {
  const { position, at, country, decision, sites } = claim;
  const found = text(decision.region, decision.rule, decision.policy);
  const policy = policyInForce(published, at);
  if (policy === undefined)
    return {
      code: 'NO_POLICY',
      position,
      found,
      expected: 'no decision: no valid version was in force',
    };
  const again = decide(policy, country, at);
  if (!again.known)
    return {
      code: 'DECISION_DIFFERS',
      position,
      found,
      expected: `no decision: ${policy.document.id}/${policy.document.version} places no such country`,
    };
  const expected = text(again.region, again.rule.id, again.policy);
  if (found !== expected) return { code: 'DECISION_DIFFERS', position, found, expected };
  if (sites === undefined) return undefined;
  const [placed, ordered] = [sitesText(sites), sitesText(expectedSites(again.sites, sites))];
  return placed === ordered
    ? undefined
    : { code: 'PLACES_DIFFER', position, found: placed, expected: ordered };
}

/** The region's sites in the policy's order. Those that the event says owe a copy may do so. */
function expectedSites(all: readonly string[], { owed }: ClaimedSites): ClaimedSites {
  return {
    placed: all.filter((site) => !owed.includes(site)),
    owed: all.filter((site) => owed.includes(site)),
  };
}

function sitesText({ placed, owed }: ClaimedSites): string {
  return owed.length === 0 ? placed.join(', ') : `${placed.join(', ')} (owed: ${owed.join(', ')})`;
}

function text(
  region: string,
  rule: string,
  {
    id,
    version,
    digest,
  }: { readonly id: string; readonly version: number; readonly digest: string },
): string {
  return `${region} by rule ${rule} of ${id}/${version} ${digest}`;
}
