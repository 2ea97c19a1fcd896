import type { SeenViews } from '@residency/telemetry';

/** What was last seen of the views, for when metrics are asked for; empty: it can not be told. */
export class SeenNow {
  consents: Pick<SeenViews, 'consentWatermark' | 'consentSeenAt'> = {};
  policies: Pick<SeenViews, 'policyWatermark' | 'policySeenAt' | 'inForce'> = {};

  all(): SeenViews {
    return { ...this.consents, ...this.policies };
  }
}
