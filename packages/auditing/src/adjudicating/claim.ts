import { formatPosition } from '@residency/contracts';
import type {
  AuditEvent,
  QuarantineReason,
  RecordedDecision,
  StoredData,
} from '@residency/contracts';
import { defined } from '@residency/defined';

/**
 * An event's claim about its submission's consent. This is all that must be kept until the consent
 * log is read.
 */
export interface ConsentClaim {
  readonly position: string;
  readonly at: number;
  readonly consentId: string;
  /**
   * Given, under these terms, or under terms that the event does not name; or refused, for this
   * reason.
   */
  readonly consent: { readonly termsVersion?: string } | { readonly reason: string };
}

/** An event's statement about its country's decision. */
export interface DecisionClaim {
  readonly position: string;
  readonly at: number;
  readonly country: string;
  readonly decision: RecordedDecision;
  /** The sites that a stored event names. */
  readonly sites?: ClaimedSites;
}

/** Together they must be the sites of the region. */
export interface ClaimedSites {
  /** With a placement, in the event's order. */
  readonly placed: readonly string[];
  /** That owe a copy, in the event's order. */
  readonly owed: readonly string[];
}

export interface Claims {
  readonly consent?: ConsentClaim;
  readonly decision?: DecisionClaim;
  /**
   * `false`: the reason's check comes before consent, so policies and consents do not decide it.
   */
  readonly redecidable: boolean;
  /** The reason's check follows another one whose result the event does not contain. */
  readonly incomplete: boolean;
}

type Quarantined = Extract<AuditEvent, { readonly outcome: 'quarantined' }>;

/** The checks of these reasons come after consent; those of the last two come after the country. */
const AFTER_CONSENT: ReadonlySet<QuarantineReason> = new Set([
  'COUNTRY_UNKNOWN',
  'DIGEST_MISMATCH',
  'IDENTITY_CONFLICT',
]);
const AFTER_COUNTRY: ReadonlySet<QuarantineReason> = new Set([
  'DIGEST_MISMATCH',
  'IDENTITY_CONFLICT',
]);

/** The part of an event that can be decided again from the policy log and the consent log. */
export function claimsOf(event: AuditEvent): Claims {
  const [position, { at }] = [formatPosition(event.position), event];
  switch (event.outcome) {
    case 'stored':
    case 'duplicate': {
      const { consentId, termsVersion, country, decision } = event.data;
      const sites = event.outcome === 'stored' ? { sites: sitesOf(event.data) } : {};
      return {
        consent: { position, at, consentId, consent: { termsVersion } },
        decision: { position, at, country, decision, ...sites },
        redecidable: true,
        incomplete: false,
      };
    }
    case 'refused': {
      const { consentId, reason } = event.data;
      // The identity is looked at after consent. The event names neither the terms nor the country.
      const consent: ConsentClaim['consent'] = reason === 'ERASED' ? {} : { reason };
      return {
        consent: { position, at, consentId, consent },
        redecidable: true,
        incomplete: false,
      };
    }
    case 'quarantined':
      return claimsOfQuarantined(event, position);
    default:
      return event satisfies never;
  }
}

function sitesOf({ placements, owed = [] }: StoredData): ClaimedSites {
  return { placed: placements.map(({ site }) => site), owed };
}

function claimsOfQuarantined({ at, data }: Quarantined, position: string): Claims {
  const { reason, consentId, termsVersion, country, decision } = data;
  const consent =
    !AFTER_CONSENT.has(reason) || consentId === undefined || termsVersion === undefined
      ? undefined
      : { position, at, consentId, consent: { termsVersion } };
  const decided =
    !AFTER_COUNTRY.has(reason) || country === undefined || decision === undefined
      ? undefined
      : { position, at, country, decision };
  return {
    ...defined({ consent, decision: decided }),
    redecidable: AFTER_CONSENT.has(reason),
    incomplete:
      (AFTER_CONSENT.has(reason) && consent === undefined) ||
      (AFTER_COUNTRY.has(reason) && decided === undefined),
  };
}

/** Encodes a claim as a line of a scratch store. */
export function encodeConsentClaim({ position, at, consentId, consent }: ConsentClaim): string {
  return JSON.stringify([
    position,
    at,
    consentId,
    ...('reason' in consent ? [1, consent.reason] : [0, consent.termsVersion ?? null]),
  ]);
}

/** The inverse. */
export function decodeConsentClaim(line: string): ConsentClaim {
  const [position, at, consentId, ...consent]: readonly [
    string,
    number,
    string,
    ...([refused: 1, reason: string] | [refused: 0, termsVersion: string | null]),
  ] = JSON.parse(line);
  return {
    position,
    at,
    consentId,
    consent:
      consent[0] === 1
        ? { reason: consent[1] }
        : defined({ termsVersion: consent[1] ?? undefined }),
  };
}
