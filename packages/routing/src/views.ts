import { codeOf, remedyOf, CodedError } from '@residency/coded-error';
import type { ConsentHistory } from '@residency/consent';
import { policyInForce, validPolicies } from '@residency/residency';
import type { PolicyRegion, PolicyVersion } from '@residency/residency';
import { recordBlocked } from './contain.ts';
import type { Decoded } from './decode.ts';
import type { ConsentView } from './ports/consent-view.ts';
import type { PolicyView } from './ports/policy-view.ts';
import type { Blocked } from './ports/submission-log.ts';
import { RoutingError } from './routing-error.ts';

/** The consents and policies for a batch, with their watermarks. */
export interface Views {
  /**
   * True if both views are complete for a record appended at `at`. If not, the record must wait.
   */
  covers(at: number): boolean;
  history(consentId: string): ConsentHistory;
  policyAt(at: number): PolicyVersion | undefined;
  /** Whether a valid policy version, in force or not, names the site in the region. */
  names(site: string, region: string): boolean;
}

export interface ViewDeps {
  readonly consents: ConsentView;
  readonly policies: PolicyView;
  /**
   * How far both watermarks must be beyond T, milliseconds: the largest difference between brokers'
   * clocks. 0 if one clock stamps all logs.
   */
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
  // Once a batch, and only after a change of an arbiter.
  let regions: readonly PolicyRegion[] | undefined;
  return {
    covers: (at) => at + deps.watermarkMarginMs < watermark,
    history: (consentId) => consents.histories.get(consentId) ?? NO_CONSENT,
    policyAt: (at) => policyInForce(policies.versions, at),
    names: (site, region) => {
      regions ??= validPolicies(policies.versions).flatMap(({ document }) => document.regions);
      return regions.some(({ id, sites }) => id === region && sites.includes(site));
    },
  };
}

// A view moves with every tick. To read it much more often finds nothing new.
const VIEW_POLL_MS = 50;

// Made once. A record waits for the views about twenty times, and an error of its own each time would
// take a twentieth of a router's CPU.
const VIEW_BEHIND = new RoutingError({
  code: 'VIEW_BEHIND',
  message:
    "Expected the consent and policy views to be complete for the record's append time, found a watermark before it. Routing waits; if this lasts, look at the consent projector.",
  remedy: 'retry',
});

export function behind(offset: bigint): Blocked {
  return { offset, error: VIEW_BEHIND, retryAfterMs: VIEW_POLL_MS };
}

export function policyMissing(): RoutingError {
  return new RoutingError({
    code: 'POLICY_MISSING',
    message:
      'Expected a policy version on residency.policy, found none that is valid; publish version 1.',
    remedy: 'retry',
  });
}

// A pause lasts minutes, so a delay of half a second after `resume` does not matter.
const PAUSE_POLL_MS = 500;

export function paused(offset: bigint): Blocked {
  return {
    offset,
    error: new RoutingError({
      code: 'ROUTING_PAUSED',
      message:
        'Routing was paused by `residency pause`; `residency audit list --control` shows why, `residency resume` ends it.',
      remedy: 'retry',
    }),
    retryAfterMs: PAUSE_POLL_MS,
  };
}

/** A view returned an impossible value. Which record caused it is unknown here. */
export function viewUnreadable(cause: unknown, offset: bigint): Blocked {
  const message =
    'Expected to decide by the consent and policy views, found an error that no check of theirs foresees. Routing waits and tries again; report the defect.';
  return {
    offset,
    error: new RoutingError({ code: 'VIEW_UNREADABLE', message, remedy: 'retry', cause }),
  };
}

type BytesIn = NonNullable<Blocked['bytesIn']>;

/**
 * Like `blockedBy`, for one record's own sealing and stores: an error without a code concerns this
 * record alone, so its partition waits there and names it.
 */
export function blockedAt(error: unknown, offset: bigint, sites: BytesIn): Blocked {
  return codeOf(error) === undefined
    ? { offset, error: recordBlocked(error), bytesIn: sites }
    : blockedBy(error, offset);
}

/**
 * An error with remedy `retry` ends the batch. Any other error is a defect or needs a person, and
 * is thrown.
 */
export function blockedBy(error: unknown, offset: bigint): Blocked {
  if (error instanceof CodedError && remedyOf(error) === 'retry') return { offset, error };
  throw error;
}
