import { decodeHttp } from '@residency/cloudevents';
import type { HttpEvents } from '@residency/cloudevents';
import { CodedError } from '@residency/coded-error';
import { TOPICS, formatPosition } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { admit } from '../admit.ts';
import type { AdmitTerms } from '../admit.ts';
import type { BodyBudget } from '../body-budget.ts';
import type { EventAppender } from '../ports/event-appender.ts';
import { Problem, unavailable } from '../problem.ts';
import { readBody } from '../read-body.ts';
import type { Tokens } from '../tokens.ts';

/** The least event is under a hundred bytes, so bytes alone would let one request become a quarter of a million records. Decoding ends there: it keeps all others waiting. */
export const BATCH_EVENTS = 1_000;

const DRAINING_RETRY_SECONDS = 30;

export interface EventsTerms {
  readonly appender: EventAppender;
  readonly tokens: Tokens;
  readonly limits: AdmitTerms['limits'];
  readonly budget: BodyBudget;
  readonly draining: () => boolean;
}

/** `POST /events`: CloudEvents over HTTP, all three modes; 202 once everything is durable, in one append. */
export function eventsRoute(app: FastifyInstance, terms: EventsTerms): void {
  app.post('/events', {
    // A stranger's body is not read.
    onRequest: async ({ headers }) => {
      terms.tokens.scopes(headers.authorization);
    },
    handler: async (request, reply) => {
      const lease = terms.budget.lease();
      try {
        refuseEncoded(request);
        const proceed = (): void => {
          if (request.headers.expect !== undefined) reply.raw.writeContinue();
        };
        const body = await readBody(request.raw, {
          limit: terms.limits.recordBytes,
          budget: terms.budget,
          lease,
          proceed,
        });
        const decoded = decode(request, body);
        const entries = admitAll(decoded, {
          limits: terms.limits,
          scopes: terms.tokens.scopes(request.headers.authorization),
        });
        if (terms.draining() && entries.some(({ topic }) => topic === TOPICS.samples)) {
          throw unavailable(
            'DRAINING',
            'Expected an intake that takes submissions; found it drained by its operators. Send it again after the time in Retry-After.',
            DRAINING_RETRY_SECONDS,
          );
        }
        return await accept(reply, entries, terms.appender);
      } finally {
        lease.release();
      }
    },
  });
}

/** A compressed body would be taken for the sample itself. */
function refuseEncoded({ headers }: FastifyRequest): void {
  if (
    headers['content-encoding'] === undefined ||
    headers['content-encoding'].toLowerCase() === 'identity'
  )
    return;
  throw new Problem({
    kind: 'unsupported-media-type',
    code: 'CONTENT_ENCODING_UNSUPPORTED',
    detail: 'Expected a body as it is; found a Content-Encoding. Send it without.',
    headers: { 'accept-encoding': 'identity' },
  });
}

function decode({ raw }: FastifyRequest, body: Buffer): HttpEvents {
  try {
    return decodeHttp({ headers: pairs(raw.rawHeaders), body }, { batchEvents: BATCH_EVENTS });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    if (error.code === 'BATCH_TOO_LONG') {
      throw new Problem({
        kind: 'too-large',
        code: error.code,
        detail: `Expected at most ${BATCH_EVENTS} events in a batch; found more. Send several batches.`,
      });
    }
    const kind = error.code === 'UNSUPPORTED_MODE' ? 'unsupported-media-type' : 'invalid-event';
    const index = 'index' in error && typeof error.index === 'number' ? { index: error.index } : {};
    throw new Problem({ kind, code: error.code, detail: error.message, ...index });
  }
}

/** All, or the first problem and where it is: a batch is taken whole or not at all. */
function admitAll({ mode, events }: HttpEvents, terms: AdmitTerms): LogEntry[] {
  return events.map((event, index) => {
    try {
      return admit(event, terms);
    } catch (error) {
      throw error instanceof Problem && mode === 'batch' ? error.at(index) : error;
    }
  });
}

async function accept(
  reply: FastifyReply,
  entries: readonly LogEntry[],
  appender: EventAppender,
): Promise<FastifyReply> {
  const positions = entries.length === 0 ? [] : await appender.append(entries);
  const accepted = positions.map((position, index) => {
    const submission = entries[index]?.submission;
    return {
      position: formatPosition(position),
      ...(submission === undefined ? {} : { submission }),
    };
  });
  return reply.code(202).send({ accepted });
}

/** Header names and values in turn, as Node has them before it joins repeated ones. */
function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[2 * index] ?? '',
    rawHeaders[2 * index + 1] ?? '',
  ]);
}
