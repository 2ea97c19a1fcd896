import type { Tokens } from '@residency/http-server';
import type { Asker } from '@residency/vault';
import type { OidcAskers } from './oidc-askers.ts';

export interface AskersDeps {
  /** Each names a principal. */
  readonly tokens: Tokens<'accesses'>;
  /** Absent: only tokens of the file are accepted. */
  readonly oidc?: OidcAskers;
}

/** A JSON Web Token in compact form (RFC 7519): three parts. No token of a file has dots like these. */
const JWT = /^Bearer +(eyJ[\w-]+\.[\w-]+\.[\w-]*)$/i;

/** Finds out who sends a request. */
export class Askers {
  readonly #deps: AskersDeps;

  constructor(deps: AskersDeps) {
    this.#deps = deps;
  }

  /** Throws 401 for a missing, unknown or invalid token, and 503 if that cannot be told now. */
  async of(authorization: string | undefined): Promise<Asker> {
    const { tokens, oidc } = this.#deps;
    const [, jwt] = JWT.exec(authorization ?? '') ?? [];
    if (oidc !== undefined && jwt !== undefined) return await oidc.of(jwt);
    return { principal: tokens.principal(authorization) ?? '', groups: [] };
  }
}
