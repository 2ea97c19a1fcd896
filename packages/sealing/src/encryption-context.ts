import type { SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';

/** The names in a message's encryption context; `aws-crypto-` is the SDK's own prefix and never ours. */
export function encodeContext(context: SealingContext): Record<string, string> {
  return {
    region: context.region,
    'policy-digest': context.policyDigest,
    'sample-sha256': context.sampleSha256,
    submission: context.submission,
  };
}

const HEX64 = /^[0-9a-f]{64}$/;

/** The inverse of `encodeContext`: exactly the four values, well-formed, else `CONTEXT_INVALID`. Whoever sealed controls the input. */
export function decodeContext(values: Readonly<Record<string, string>>): SealingContext {
  const {
    region,
    'policy-digest': policyDigest,
    'sample-sha256': sampleSha256,
    submission,
    ...others
  } = values;
  const whole =
    region !== undefined &&
    /^[a-z0-9][a-z0-9.-]{0,63}$/.test(region) &&
    policyDigest !== undefined &&
    HEX64.test(policyDigest) &&
    sampleSha256 !== undefined &&
    HEX64.test(sampleSha256) &&
    submission !== undefined &&
    HEX64.test(submission) &&
    Object.keys(others).length === 0;
  if (!whole) {
    throw new SealingError({
      code: 'CONTEXT_INVALID',
      message:
        'Expected region, policy-digest, sample-sha256 and submission bound to the message and nothing else; found otherwise. A router did not seal this.',
      remedy: 'stop',
    });
  }
  return { region, policyDigest, sampleSha256, submission };
}

/** The key provider's name in a message: a data key wrapped for one region never looks like another's. */
export function keyNamespace(region: string): string {
  return `residency/${region}`;
}
