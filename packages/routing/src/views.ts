import { remedyOf, CodedError } from '@residency/coded-error';
import type { ConsentHistory } from '@residency/consent';
import { policyInForce } from '@residency/residency';
import type { PolicyVersion } from '@residency/residency';
import type { Decoded } from './decode.ts';
import type { ConsentView } from './ports/consent-view.ts';
import type { PolicyView } from './ports/policy-view.ts';
import type { Blocked } from './ports/submission-log.ts';
import { RoutingError } from './routing-error.ts';

/** The consents and policies of a batch's time, and how far they reach. */
export interface Views {
  /** Are both views complete for a record appended at `at`? If not, it must wait. */
  covers(at: number): boolean;
  history(consentId: string): ConsentHistory;
  policyAt(at: number): PolicyVersion | undefined;
}

export interface ViewDeps {
  readonly consents: ConsentView;
  readonly policies: PolicyView;
  /** How far both watermarks must be beyond T, milliseconds: what brokers' clocks may differ by. 0 where one clock stamps all. */
  readonly watermarkMarginMs: number;
}

const NO_CONSENT: ConsentHistory = [];

export async function readViews(batch: readonly Decoded[], deps: ViewDeps): Promise<Views> {
  const ids = new Set(
    batch.flatMap(({ read }) => ('submission' in read ? [read.submission.consentId] : [])),
  );
  const [consents, policies] = await Promise.all([
    deps.consents.read([...ids]),
    deps.policies.read(),
  ]);
  const watermark = Math.min(consents.watermark, policies.watermark);
  return {
    covers: (at) => at + deps.watermarkMarginMs < watermark,
    history: (consentId) => consents.histories.get(consentId) ?? NO_CONSENT,
    policyAt: (at) => policyInForce(policies.versions, at),
  };
}

// A view moves with every tick; asking much more often than that finds nothing new.
const VIEW_POLL_MS = 50;

export function behind(offset: bigint): Blocked {
  return {
    offset,
    error: new RoutingError({
      code: 'VIEW_BEHIND',
      message:
        "Expected the consent and policy views to be complete for the record's append time; they are not yet. Routing waits; if it goes on, look at the consent projector.",
      remedy: 'retry',
    }),
    retryAfterMs: VIEW_POLL_MS,
  };
}

export function policyMissing(): RoutingError {
  return new RoutingError({
    code: 'POLICY_MISSING',
    message:
      'Expected a policy version on residency.policy, found none that is valid; publish version 1.',
    remedy: 'retry',
  });
}

/** What may be tried again ends the batch; anything else is a defect or needs a person, and goes up. */
export function blockedBy(error: unknown, offset: bigint): Blocked {
  if (error instanceof CodedError && remedyOf(error) === 'retry') return { offset, error };
  throw error;
}
