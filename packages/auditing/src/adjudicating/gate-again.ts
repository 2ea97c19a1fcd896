import { gate } from '@residency/consent';
import type { ConsentHistory } from '@residency/consent';
import type { ConsentClaim } from './claim.ts';
import type { AdjudicationDifference } from './difference.ts';

/** Judges the claim's consent as of its T. `undefined`: the result equals the event's. */
export function gateAgain(
  { position, at, consent }: ConsentClaim,
  history: ConsentHistory,
): AdjudicationDifference | undefined {
  const again = gate(history, at);
  if ('reason' in consent) {
    const found = `refused: ${consent.reason}`;
    if (again.given)
      return {
        code: 'CONSENT_DIFFERS',
        position,
        found,
        expected: `given under terms ${again.termsVersion}`,
      };
    return again.reason === consent.reason
      ? undefined
      : { code: 'REASON_DIFFERS', position, found, expected: `refused: ${again.reason}` };
  }
  const { termsVersion } = consent;
  const found = termsVersion === undefined ? 'given' : `given under terms ${termsVersion}`;
  if (!again.given)
    return { code: 'CONSENT_DIFFERS', position, found, expected: `refused: ${again.reason}` };
  return termsVersion === undefined || again.termsVersion === termsVersion
    ? undefined
    : {
        code: 'TERMS_DIFFER',
        position,
        found,
        expected: `given under terms ${again.termsVersion}`,
      };
}
