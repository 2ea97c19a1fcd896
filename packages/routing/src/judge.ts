import { gate } from '@residency/consent';
import type { ConsentHistory } from '@residency/consent';
import { sha256 } from '@residency/contracts';
import type { ClaimedIdentity, RecordedDecision, Submission } from '@residency/contracts';
import { decide } from '@residency/residency';
import type { PolicyVersion } from '@residency/residency';
import { quarantined } from './decode.ts';
import type { RecordResult } from './record-result.ts';

/**
 * A sample that may be placed: consent is given, the country is known, and the digest is the
 * announced one.
 */
export interface Placeable {
  readonly sample: Buffer;
  /** The region's sites that serve, in writing order. The first arbitrates. */
  readonly sites: readonly string[];
  /** Sites of the region that do not serve now; nothing is known of what they hold. */
  readonly idle?: readonly string[];
  /** The least number of sites that must have the sample before it is stored. */
  readonly settleWith: number;
  /** Absent: the arbiter never changed. */
  readonly arbiter?: number;
  readonly claimed?: ClaimedIdentity;
  /** The part of the event that does not depend on the stores. */
  readonly judged: {
    readonly submission: string;
    readonly sampleSha256: string;
    readonly sampleBytes: number;
    readonly verdict: Submission['verdict'];
    readonly country: string;
    readonly consentId: string;
    readonly termsVersion: string;
    readonly decision: RecordedDecision;
  };
}

/**
 * Checks consent, country and digest, in that order (DESIGN §3). A pure function of the record, and
 * of the consents and the policy of its time, so that redelivery and replay decide alike. The
 * sample is not touched, not even hashed, before permission.
 */
export function judge(
  submission: Submission,
  at: number,
  history: ConsentHistory,
  policy: PolicyVersion,
): Placeable | RecordResult {
  const { consentId, sample, verdict } = submission;
  const passed = {
    submission: submission.submission,
    sampleBytes: sample.length,
    verdict,
    consentId,
  };
  const consent = gate(history, at);
  if (!consent.given) return { outcome: 'refused', data: { ...passed, reason: consent.reason } };
  const permitted = { ...passed, termsVersion: consent.termsVersion };

  const decision = decide(policy, submission.userCountry, at);
  if (!decision.known)
    return quarantined(
      'COUNTRY_UNKNOWN',
      'usercountry: not an assigned ISO 3166-1 alpha-2 code or XK',
      permitted,
    );
  const { country, region, sites, settleWith, rule } = decision;
  const decided = {
    ...permitted,
    country,
    decision: { region, rule: rule.id, policy: decision.policy },
  };

  const sampleSha256 = sha256(sample);
  if (submission.sampleSha256 !== undefined && submission.sampleSha256 !== sampleSha256) {
    return quarantined('DIGEST_MISMATCH', 'samplesha256: not the SHA-256 of the sample', decided);
  }
  return { sample, sites, settleWith, judged: { ...decided, sampleSha256 } };
}
