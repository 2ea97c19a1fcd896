import { invalidPolicies, policyInForce } from '@residency/residency';
import type { Instant, PolicyPublished } from '@residency/residency';
import type { PolicyLook } from './look.ts';

export function policyLook(versions: readonly PolicyPublished[], at: Instant): PolicyLook {
  const invalid = new Set(invalidPolicies(versions).map(({ published }) => published.digest));
  const inForce = policyInForce(versions, at)?.document;
  // A version published again is one version.
  const valid = new Set(versions.map(({ digest }) => digest)).difference(invalid).size;
  return { valid, ...(inForce === undefined ? {} : { inForce: `${inForce.id}/${inForce.version}` }) };
}
