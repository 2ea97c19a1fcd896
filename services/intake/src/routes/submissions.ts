import { decodeAuditEvent, outcomeSummary } from '@residency/contracts';
import { Problem } from '@residency/http-server';
import type { Tokens } from '@residency/http-server';
import type { FastifyInstance } from 'fastify';
import type { SubmissionStatus } from '../ports/submission-status.ts';
import type { Scope } from '../scopes.ts';

/** `GET /submissions/{submission id}`: its outcome. */
export function submissionsRoute(
  app: FastifyInstance,
  { status, tokens }: { readonly status: SubmissionStatus; readonly tokens: Tokens<Scope> },
): void {
  app.get<{ Params: { submission: string } }>('/submissions/:submission', {
    onRequest: async ({ headers }) => tokens.requireScope('submissions', headers.authorization),
    handler: async ({ params: { submission } }) => {
      if (!/^[0-9a-f]{64}$/.test(submission))
        throw new Problem({
          kind: 'invalid-request',
          code: 'INVALID_SUBMISSION_ID',
          detail:
            'Expected a submission id of 64 lower-case hex digits; found something else. Use the one in the answer to POST /events.',
        });
      const found = await status.find(submission);
      if (found.state === 'unknown')
        throw new Problem({
          kind: 'not-found',
          code: 'SUBMISSION_UNKNOWN',
          detail: 'Expected a submission this intake took; found none, or its retention is over.',
        });
      return {
        submission,
        state: found.state,
        outcomes:
          found.state === 'settled'
            ? found.events.map((bytes) => outcomeSummary(decodeAuditEvent(bytes)))
            : [],
      };
    },
  });
}
