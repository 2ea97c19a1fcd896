import { createHash, timingSafeEqual } from 'node:crypto';
import { IntakeError } from './intake-error.ts';
import { Problem } from './problem.ts';

/**
 * The scopes of a token. `submissions`: send and read submissions. `consents`: send consents and
 * links, and read consents.
 */
export const SCOPES = ['submissions', 'consents'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * A bearer token (RFC 6750), or the lower-case hex SHA-256 of one, so that the configuration need
 * not contain it.
 */
export type IntakeToken = { readonly scopes: readonly Scope[] } & (
  | { readonly token: string }
  | { readonly sha256: string }
);

/** RFC 6750 §2.1 `b64token`; a random token has at least 32 characters. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{32,512}=*$/;
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

export class Tokens {
  readonly #known: readonly { readonly digest: Buffer; readonly scopes: readonly Scope[] }[];

  /** Throws `INVALID_TOKEN`. Without tokens every client has every scope. */
  constructor(tokens: readonly IntakeToken[]) {
    this.#known = tokens.map((token, index) => ({
      digest: digestOf(token, index),
      scopes: token.scopes,
    }));
  }

  get required(): boolean {
    return this.#known.length > 0;
  }

  /** The scopes of this `Authorization`. Throws 401 if it is missing or unknown. */
  scopes(authorization: string | undefined): ReadonlySet<Scope> {
    if (!this.required) return new Set(SCOPES);
    const presented = BEARER.exec(authorization ?? '')?.[1];
    if (presented === undefined) throw unauthenticated('TOKEN_MISSING', 'no such header', 'Bearer');
    const digest = sha256(presented);
    // All tokens are compared, each in constant time, so that the duration shows neither which one
    // matched nor how far.
    const matching = this.#known.filter((known) => timingSafeEqual(known.digest, digest));
    if (matching.length === 0)
      throw unauthenticated(
        'TOKEN_UNKNOWN',
        'a token that is not configured',
        'Bearer error="invalid_token"',
      );
    return new Set(matching.flatMap(({ scopes }) => scopes));
  }

  /** Throws 401, or 403 if the token lacks the scope. */
  requireScope(scope: Scope, authorization: string | undefined): void {
    if (!this.scopes(authorization).has(scope)) throw missingScope(scope);
  }
}

export function missingScope(scope: Scope): Problem {
  return new Problem({
    kind: 'forbidden',
    code: 'SCOPE_MISSING',
    detail: `Expected a token with the scope ${scope}; found one without it. Use another token, or have the scope added.`,
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  });
}

function unauthenticated(code: string, found: string, challenge: string): Problem {
  return new Problem({
    kind: 'unauthenticated',
    code,
    detail: `Expected Authorization: Bearer with a configured token; found ${found}. Ask the intake's operator for a token.`,
    headers: { 'www-authenticate': challenge },
  });
}

function digestOf(token: IntakeToken, index: number): Buffer {
  const valid =
    token.scopes.length > 0 &&
    token.scopes.every((scope) => SCOPES.includes(scope)) &&
    ('token' in token ? TOKEN.test(token.token) : /^[0-9a-f]{64}$/.test(token.sha256));
  if (!valid) {
    throw new IntakeError({
      code: 'INVALID_TOKEN',
      remedy: 'stop',
      message: `Expected token ${index} to have 32 to 512 of A-Z a-z 0-9 - . _ ~ + / (or its SHA-256 in lower-case hex) and scopes of ${SCOPES.join(', ')}; found something else. Correct the configuration.`,
    });
  }
  return 'token' in token ? sha256(token.token) : Buffer.from(token.sha256, 'hex');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
