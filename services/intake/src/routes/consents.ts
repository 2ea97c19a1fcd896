import { Problem } from '@residency/http-server';
import type { Tokens } from '@residency/http-server';
import type { FastifyInstance } from 'fastify';
import type { ConsentHistories } from '../ports/consent-histories.ts';
import type { Scope } from '../scopes.ts';

/** `GET /consents/{consentId}`: its intervals and purposes; an empty list if it was never given. */
export function consentsRoute(
  app: FastifyInstance,
  { consents, tokens }: { readonly consents: ConsentHistories; readonly tokens: Tokens<Scope> },
): void {
  app.get<{ Params: { consentId: string } }>('/consents/:consentId', {
    onRequest: async ({ headers }) => tokens.requireScope('consents', headers.authorization),
    handler: async ({ params: { consentId } }) => {
      if (!/^[A-Za-z0-9_-]{8,128}$/.test(consentId))
        throw new Problem({
          kind: 'invalid-request',
          code: 'INVALID_CONSENT_ID',
          detail:
            'Expected a consent id of 8 to 128 of A-Z a-z 0-9 _ -; found something else. Correct it.',
        });
      const history = await consents.history(consentId);
      const intervals = history.map(({ from, until, ...rest }) => ({
        from: new Date(from).toISOString(),
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
        ...rest,
      }));
      return { consentId, intervals };
    },
  });
}
