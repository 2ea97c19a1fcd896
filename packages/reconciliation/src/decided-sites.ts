import type { StoredEvent } from '@residency/contracts';
import type { ReconcileDeps } from './reconcile-deps.ts';

type Policies = Pick<ReconcileDeps, 'sitesOf' | 'learn'>;

/**
 * The sites that the event's policy names for its region, or those that the event names if that
 * policy is unknown.
 */
export function sitesOfEvent(
  { sitesOf }: Policies,
  { data: { decision, placements, owed = [] } }: StoredEvent,
): readonly string[] {
  return [
    ...new Set(
      sitesOf(decision.policy.digest, decision.region) ?? [
        ...placements.map(({ site }) => site),
        ...owed,
      ],
    ),
  ];
}

/** Reads the policy log again before a version counts as unknown (RECONCILIATION §19). */
export async function learn(
  { sitesOf, learn: ask }: Policies,
  policyDigest: string,
  region: string,
): Promise<void> {
  if (sitesOf(policyDigest, region) === undefined) await ask?.(policyDigest);
}
