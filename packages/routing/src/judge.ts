import { gate } from '@residency/consent';
import type { ConsentHistory } from '@residency/consent';
import { sha256 } from '@residency/contracts';
import type { RecordedDecision, Submission } from '@residency/contracts';
import { decide } from '@residency/residency';
import type { PolicyVersion } from '@residency/residency';
import { quarantined } from './decode.ts';
import type { Finding } from './finding.ts';

/** A sample that may be placed: permitted, in a known country, with the digest it was announced with. */
export interface Placeable {
  readonly sample: Buffer;
  /** Of the region, in writing order; the first arbitrates. */
  readonly sites: readonly string[];
  /** What every event about it says, whatever the stores answer. */
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
 * Consent, country, digest, in that order (DESIGN §3). Pure: a function of the record, the consents and the policy of
 * its time, so that redelivery and replay judge alike. The sample is not touched, not even hashed, before permission.
 */
export function judge(
  submission: Submission,
  at: number,
  history: ConsentHistory,
  policy: PolicyVersion,
): Placeable | Finding {
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
  const { country, region, sites, rule } = decision;
  const decided = {
    ...permitted,
    country,
    decision: { region, rule: rule.id, policy: decision.policy },
  };

  const sampleSha256 = sha256(sample);
  if (submission.sampleSha256 !== undefined && submission.sampleSha256 !== sampleSha256) {
    return quarantined('DIGEST_MISMATCH', 'samplesha256: not the SHA-256 of the sample', decided);
  }
  return { sample, sites, judged: { ...decided, sampleSha256 } };
}
