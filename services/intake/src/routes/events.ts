import type { HttpEvents } from '@residency/cloudevents';
import { TOPICS, formatPosition } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { defined } from '@residency/defined';
import { Problem, holdConnection, unavailable, withBody } from '@residency/http-server';
import type { BodyBudget, Tokens } from '@residency/http-server';
import type { Connections } from '@residency/operations';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { admit } from '../admit.ts';
import type { AdmitOptions } from '../admit.ts';
import { countTokens, tooManyTokens } from '../count-tokens.ts';
import type { Decoder } from '../decoding/decoder.ts';
import { BATCH_EVENTS } from '../decoding/decoding.ts';
import type { EventAppender } from '../ports/event-appender.ts';
import type { Scope } from '../scopes.ts';

const DRAINING_RETRY_SECONDS = 30;

export interface EventsDeps {
  readonly appender: EventAppender;
  readonly tokens: Tokens<Scope>;
  readonly limits: AdmitOptions['limits'];
  readonly budget: BodyBudget;
  readonly decoder: Decoder;
  readonly connections: Pick<Connections, 'hold'>;
  readonly draining: () => boolean;
}

/**
 * `POST /events`: CloudEvents over HTTP, all three modes; 202 once everything is durable, in one
 * append.
 */
export function eventsRoute(app: FastifyInstance, deps: EventsDeps): void {
  app.post('/events', {
    // Without permission the body is not read.
    onRequest: async ({ headers }) => {
      deps.tokens.scopes(headers.authorization);
    },
    handler: async (request, reply) => {
      refuseEncoded(request);
      refusePartial(request);
      holdConnection(deps.connections, request, reply);
      const body = {
        limit: deps.limits.recordBytes,
        limitAdvice: 'Send fewer events at a time, or smaller samples.',
        budget: deps.budget,
        inspect: countTokens(request.headers['content-type']),
      };
      return await withBody(request, reply, body, async (bytes) => {
        const decoded = await decode(request, bytes, deps.decoder);
        const entries = admitAll(decoded, {
          limits: deps.limits,
          scopes: deps.tokens.scopes(request.headers.authorization),
        });
        if (deps.draining() && entries.some(({ topic }) => topic === TOPICS.samples)) {
          throw unavailable(
            'DRAINING',
            'Expected an intake that takes submissions; found it drained by its operators. Send it again after the time in Retry-After.',
            DRAINING_RETRY_SECONDS,
          );
        }
        return await accept(reply, entries, deps.appender);
      });
    },
  });
}

/** Refuses a compressed body, because its bytes would become the sample. */
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

/**
 * Refuses a partial body, because it would become the whole sample. RFC 9110 §14.5 defines no
 * ranges for `POST`.
 */
function refusePartial({ headers }: FastifyRequest): void {
  if (headers['content-range'] === undefined) return;
  throw new Problem({
    kind: 'invalid-request',
    code: 'CONTENT_RANGE_UNSUPPORTED',
    detail: 'Expected a whole body; found a Content-Range. Send all of it in one request without.',
  });
}

async function decode(
  { raw }: FastifyRequest,
  body: Buffer,
  decoder: Decoder,
): Promise<HttpEvents> {
  const decoding = await decoder.decode({ headers: pairs(raw.rawHeaders), body });
  if ('events' in decoding) return decoding;
  const { code, message, ...index } = decoding.undecodable;
  if (code === 'BATCH_TOO_LONG')
    throw new Problem({
      kind: 'too-large',
      code,
      detail: `Expected at most ${BATCH_EVENTS} events in a batch; found more. Send several batches.`,
    });
  if (code === 'TOO_MANY_TOKENS') throw tooManyTokens();
  throw new Problem({
    kind: code === 'UNSUPPORTED_MODE' ? 'unsupported-media-type' : 'invalid-event',
    code,
    detail: message,
    ...index,
  });
}

/**
 * All events, or the first problem with its index: a batch is accepted completely or not at all.
 */
function admitAll({ mode, events }: HttpEvents, options: AdmitOptions): LogEntry[] {
  return events.map((event, index) => {
    try {
      return admit(event, options);
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
      ...defined({ submission }),
    };
  });
  return reply.code(202).send({ accepted });
}

/** Header names and values in turn, from Node's raw headers, before repeated ones are joined. */
function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[2 * index] ?? '',
    rawHeaders[2 * index + 1] ?? '',
  ]);
}
