import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpServerError } from './http-server-error.ts';
import { Problem } from './problem.ts';

/**
 * A bearer token (RFC 6750), or the lower-case hex SHA-256 of one, so that the configuration need
 * not contain it. `principal`: the name of who presents it, for records of what was done.
 */
export type Token<Scope extends string> = {
  readonly scopes: readonly Scope[];
  readonly principal?: string;
} & ({ readonly token: string } | { readonly sha256: string });

export interface TokensOptions<Scope extends string> {
  /** The name by which clients know the service. */
  readonly service: string;
  /** All scopes of the service. */
  readonly scopes: readonly Scope[];
  readonly tokens: readonly Token<Scope>[];
}

interface Known<Scope extends string> {
  readonly digest: Buffer;
  readonly scopes: readonly Scope[];
  readonly principal: string | undefined;
}

/** RFC 6750 §2.1 `b64token`; a random token has at least 32 characters. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{32,512}=*$/;
const DIGEST = /^[0-9a-f]{64}$/;
const PRINCIPAL = /^[A-Za-z0-9\-._@+]{1,128}$/;
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

export class Tokens<Scope extends string> {
  readonly #service: string;
  readonly #scopes: readonly Scope[];
  readonly #known: readonly Known<Scope>[];

  /** Throws `INVALID_TOKEN`. Without tokens every client has every scope. */
  constructor({ service, scopes, tokens }: TokensOptions<Scope>) {
    this.#service = service;
    this.#scopes = scopes;
    this.#known = tokens.map((token, index) => {
      requireToken(token, scopes, index);
      return { digest: digestOf(token), scopes: token.scopes, principal: token.principal };
    });
    requireOnePrincipalEach(this.#known);
  }

  get required(): boolean {
    return this.#known.length > 0;
  }

  /** The scopes of this `Authorization`. Throws 401 if it is missing or unknown. */
  scopes(authorization: string | undefined): ReadonlySet<Scope> {
    if (!this.required) return new Set(this.#scopes);
    return new Set(this.#matching(authorization).flatMap(({ scopes }) => scopes));
  }

  /**
   * The name of who presents this `Authorization`; `undefined` if its token names nobody, or no
   * tokens are configured. Throws 401 if it is missing or unknown.
   */
  principal(authorization: string | undefined): string | undefined {
    return this.required ? this.#matching(authorization)[0]?.principal : undefined;
  }

  /** Throws 401, or 403 if the token lacks the scope. */
  requireScope(scope: Scope, authorization: string | undefined): void {
    if (!this.scopes(authorization).has(scope)) throw missingScope(scope);
  }

  /** The configured entries of this token, never empty. */
  #matching(authorization: string | undefined): readonly Known<Scope>[] {
    const presented = BEARER.exec(authorization ?? '')?.[1];
    if (presented === undefined)
      throw this.#unauthenticated('TOKEN_MISSING', 'no such header', 'Bearer');
    const digest = sha256(presented);
    // All tokens are compared, each in constant time, so that the duration shows neither which one
    // matched nor how far.
    const matching = this.#known.filter((known) => timingSafeEqual(known.digest, digest));
    if (matching.length === 0)
      throw this.#unauthenticated(
        'TOKEN_UNKNOWN',
        'a token that is not configured',
        'Bearer error="invalid_token"',
      );
    return matching;
  }

  #unauthenticated(code: string, found: string, challenge: string): Problem {
    return new Problem({
      kind: 'unauthenticated',
      code,
      detail: `Expected Authorization: Bearer with a configured token; found ${found}. Ask the ${this.#service}'s operator for a token.`,
      headers: { 'www-authenticate': challenge },
    });
  }
}

export function missingScope(scope: string): Problem {
  return new Problem({
    kind: 'forbidden',
    code: 'SCOPE_MISSING',
    detail: `Expected a token with the scope ${scope}; found one without it. Use another token, or have the scope added.`,
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  });
}

function requireToken<Scope extends string>(
  token: Token<Scope>,
  scopes: readonly Scope[],
  index: number,
): void {
  const valid =
    token.scopes.length > 0 &&
    token.scopes.every((scope) => scopes.includes(scope)) &&
    ('token' in token ? TOKEN.test(token.token) : DIGEST.test(token.sha256));
  if (!valid)
    throw invalidToken(
      `Expected token ${index} to have 32 to 512 of A-Z a-z 0-9 - . _ ~ + / (or its SHA-256 in lower-case hex) and scopes of ${scopes.join(', ')}; found something else.`,
    );
  if (token.principal !== undefined && !PRINCIPAL.test(token.principal))
    throw invalidToken(
      `Expected the principal of token ${index} to have 1 to 128 of A-Z a-z 0-9 - . _ @ +; found something else.`,
    );
}

/** A token with two names would not say who presented it. */
function requireOnePrincipalEach(known: readonly Known<string>[]): void {
  for (const [index, { digest, principal }] of known.entries()) {
    const first = known.findIndex((other) => other.digest.equals(digest));
    if (known[first]?.principal !== principal)
      throw invalidToken(
        `Expected token ${index} to name the same principal as token ${first}, because they are the same token; found another.`,
      );
  }
}

function invalidToken(found: string): HttpServerError {
  return new HttpServerError({
    code: 'INVALID_TOKEN',
    remedy: 'stop',
    message: `${found} Correct the configuration.`,
  });
}

function digestOf(token: Token<string>): Buffer {
  return 'token' in token ? sha256(token.token) : Buffer.from(token.sha256, 'hex');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
