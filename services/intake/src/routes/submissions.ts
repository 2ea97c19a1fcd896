import { decodeAuditEvent, formatPosition } from '@residency/contracts';
import type { FastifyInstance } from 'fastify';
import type { SubmissionStatus } from '../ports/submission-status.ts';
import { Problem } from '../problem.ts';
import type { Tokens } from '../tokens.ts';

/** `GET /submissions/{submission id}`: what became of it. */
export function submissionsRoute(app: FastifyInstance, { status, tokens }: { readonly status: SubmissionStatus; readonly tokens: Tokens }): void {
  app.get<{ Params: { submission: string } }>('/submissions/:submission', {
    onRequest: async ({ headers }) => tokens.demand('submissions', headers.authorization),
    handler: async ({ params: { submission } }) => {
      if (!/^[0-9a-f]{64}$/.test(submission)) throw new Problem({ kind: 'invalid-request', code: 'INVALID_SUBMISSION_ID', detail: 'Expected a submission id of 64 lower-case hex digits; found something else. Use the one in the answer to POST /events.' });
      const found = await status.find(submission);
      if (found.state === 'unknown') throw new Problem({ kind: 'not-found', code: 'SUBMISSION_UNKNOWN', detail: 'Expected a submission this intake took; found none, or its retention is over.' });
      return { submission, state: found.state, outcomes: found.state === 'settled' ? found.events.map(outcomeOf) : [] };
    },
  });
}

/** What a publisher needs of an audit event; the consent id and the sample's digest stay in the audit log. */
function outcomeOf(bytes: Buffer): object {
  const event = decodeAuditEvent(bytes);
  const common = { outcome: event.outcome, position: formatPosition(event.position), at: new Date(event.at).toISOString() };
  switch (event.outcome) {
    case 'stored':
      return { ...common, region: event.data.decision.region };
    case 'duplicate':
      return { ...common, region: event.data.decision.region, of: event.data.of };
    case 'refused':
    case 'quarantined':
      return { ...common, reason: event.data.reason };
    default:
      return event satisfies never;
  }
}
