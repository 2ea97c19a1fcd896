import { Problem } from '@residency/http-server';
import type { Asker } from '@residency/vault';
import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { Jwks } from './jwks.ts';
import type { OidcSettings } from './oidc-settings.ts';

export interface OidcAskersDeps {
  readonly settings: OidcSettings;
  readonly jwks: Jwks;
  /** A keyed digest, lower-case hex: nobody learns from a pseudonym whose it is. */
  readonly digest: (text: string) => string;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

const MOST_GROUPS = 1_000;

/**
 * Askers by the tokens of one OpenID Connect issuer. The subject of a token becomes the pseudonym
 * `o-` and 32 hex digits of a keyed digest of issuer and subject.
 */
export class OidcAskers {
  readonly #deps: OidcAskersDeps;

  constructor(deps: OidcAskersDeps) {
    this.#deps = deps;
  }

  /** Throws 401, and the errors of `Jwks.keys`. */
  async of(token: string): Promise<Asker> {
    const payload = await this.#payload(token);
    const { issuer, groupsClaim } = this.#deps.settings;
    const digest = this.#deps.digest(`principal\n${issuer}\n${payload.sub ?? ''}`);
    return { principal: `o-${digest.slice(0, 32)}`, groups: groupsIn(payload[groupsClaim]) };
  }

  async #payload(token: string): Promise<JWTPayload> {
    try {
      return await this.#verified(token, false);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw refused(error);
    }
    try {
      // The issuer may have a new key.
      return await this.#verified(token, true);
    } catch (error) {
      throw refused(error);
    }
  }

  async #verified(token: string, again: boolean): Promise<JWTPayload> {
    const { settings, jwks, now } = this.#deps;
    const { issuer, audience, algorithms, clockToleranceSeconds } = settings;
    const { payload } = await jwtVerify(token, await jwks.keys(again), {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now()),
      requiredClaims: ['sub', 'exp'],
    });
    if (typeof payload.sub !== 'string' || payload.sub === '')
      throw new errors.JWTClaimValidationFailed('no subject', payload, 'sub', 'missing');
    return payload;
  }
}

/** A claim is the issuer's; what is no list of names is no group. */
function groupsIn(claim: unknown): readonly string[] {
  if (!Array.isArray(claim)) return [];
  return claim.filter((group) => typeof group === 'string').slice(0, MOST_GROUPS);
}

/** What of a token is wrong is not said: whoever made it knows, and nobody else is to learn. */
function refused(error: unknown): unknown {
  if (!(error instanceof errors.JOSEError)) return error;
  const isOver = error instanceof errors.JWTExpired;
  return new Problem({
    kind: 'unauthenticated',
    code: isOver ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID',
    detail: isOver
      ? 'Expected a token whose time is not over; found one that is. Get a new one from your issuer.'
      : 'Expected a token of the configured issuer, for this vault, with a valid signature; found another. Get a new one from your issuer.',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}
