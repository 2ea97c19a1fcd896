import { policyInForce, validPolicies } from '@residency/residency';
import type { Instant, PolicyPublished } from '@residency/residency';
import type { PolicyLook } from './look.ts';

export function policyLook(versions: readonly PolicyPublished[], at: Instant): PolicyLook {
  const inForce = policyInForce(versions, at)?.document;
  return {
    valid: validPolicies(versions).length,
    ...(inForce === undefined ? {} : { inForce: `${inForce.id}/${inForce.version}` }),
  };
}
