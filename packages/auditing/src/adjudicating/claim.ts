import { formatPosition } from '@residency/contracts';
import type { AuditEvent, QuarantineReason, RecordedDecision } from '@residency/contracts';

/** What an event says of its submission's consent; all that has to be remembered until the consent log is read. */
export interface ConsentClaim {
  readonly position: string;
  readonly at: number;
  readonly consentId: string;
  /** Given, under these terms; or refused, for this reason. */
  readonly consent: { readonly termsVersion: string } | { readonly reason: string };
}

/** What an event says was decided about its country. */
export interface DecisionClaim {
  readonly position: string;
  readonly at: number;
  readonly country: string;
  readonly decision: RecordedDecision;
  /** Of a stored event: the sites it names. */
  readonly sites?: readonly string[];
}

export interface Claims {
  readonly consent?: ConsentClaim;
  readonly decision?: DecisionClaim;
  /** A reason whose checks come before consent: nothing that policy and consents decide. */
  readonly redecidable: boolean;
  /** The outcome's reason comes after a check of which the event does not say what it found. */
  readonly incomplete: boolean;
}

type Quarantined = Extract<AuditEvent, { readonly outcome: 'quarantined' }>;

/** In the order of checks these come after consent, and the last two after the country. */
const AFTER_CONSENT: ReadonlySet<QuarantineReason> = new Set([
  'COUNTRY_UNKNOWN',
  'DIGEST_MISMATCH',
  'IDENTITY_CONFLICT',
]);
const AFTER_COUNTRY: ReadonlySet<QuarantineReason> = new Set([
  'DIGEST_MISMATCH',
  'IDENTITY_CONFLICT',
]);

/** What can be decided again from the policy log and the consent log. */
export function claimsOf(event: AuditEvent): Claims {
  const [position, { at }] = [formatPosition(event.position), event];
  switch (event.outcome) {
    case 'stored':
    case 'duplicate': {
      const { consentId, termsVersion, country, decision } = event.data;
      const sites =
        event.outcome === 'stored' ? { sites: event.data.placements.map(({ site }) => site) } : {};
      return {
        consent: { position, at, consentId, consent: { termsVersion } },
        decision: { position, at, country, decision, ...sites },
        redecidable: true,
        incomplete: false,
      };
    }
    case 'refused': {
      const { consentId, reason } = event.data;
      return {
        consent: { position, at, consentId, consent: { reason } },
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
    ...(consent === undefined ? {} : { consent }),
    ...(decided === undefined ? {} : { decision: decided }),
    redecidable: AFTER_CONSENT.has(reason),
    incomplete:
      (AFTER_CONSENT.has(reason) && consent === undefined) ||
      (AFTER_COUNTRY.has(reason) && decided === undefined),
  };
}

/** A line of a scratch. */
export function encodeConsentClaim({ position, at, consentId, consent }: ConsentClaim): string {
  return JSON.stringify([
    position,
    at,
    consentId,
    ...('reason' in consent ? [1, consent.reason] : [0, consent.termsVersion]),
  ]);
}

/** The inverse. */
export function decodeConsentClaim(line: string): ConsentClaim {
  const [position, at, consentId, refused, text]: readonly [string, number, string, 0 | 1, string] =
    JSON.parse(line);
  return {
    position,
    at,
    consentId,
    consent: refused === 1 ? { reason: text } : { termsVersion: text },
  };
}
