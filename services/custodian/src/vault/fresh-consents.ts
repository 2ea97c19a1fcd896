import type { ConsentView } from '@residency/routing';
import { CustodianError } from '../custodian-error.ts';

/** A projector moves the watermark of an idle log every 250 ms. */
const BEHIND_MS = 30_000;

/**
 * A view of a cluster's consents for the vault: a withdrawal that the projector has not read yet must
 * not go unnoticed. Throws `CONSENTS_BEHIND` (retry) if the view may lack events of more than 30
 * seconds. `now`: wall clock, milliseconds.
 */
export function freshConsents(view: ConsentView, now: () => number): ConsentView {
  return {
    read: async (consentIds) => {
      const reading = await view.read(consentIds);
      const behind = now() - reading.watermark;
      if (behind <= BEHIND_MS) return reading;
      throw new CustodianError({
        code: 'CONSENTS_BEHIND',
        message: `Expected the view of consents to be at most ${BEHIND_MS / 1_000} s behind, found it ${Math.floor(behind / 1_000)} s behind. See whether the consent projector runs, then ask again.`,
        remedy: 'retry',
      });
    },
  };
}
