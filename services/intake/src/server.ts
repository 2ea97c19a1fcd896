import type { IncomingMessage } from 'node:http';
import { refusedTransferCoding } from '@residency/operations';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerClientError } from './client-error.ts';
import type { IntakeLog, IntakeOptions, IntakeTimeouts } from './intake-options.ts';
import { refuseForeignPages } from './loopback.ts';
import { notFound } from './not-found.ts';
import { PROBLEM_CONTENT_TYPE, Problem, unavailable } from './problem.ts';
import { toProblem } from './to-problem.ts';

export interface ServerOptions {
  readonly timeouts: IntakeTimeouts;
  /** On loopback without tokens: pages of other origins are refused. */
  readonly guarded: boolean;
  /** True from `close` on. */
  readonly closing: () => boolean;
  readonly log: IntakeLog | undefined;
  readonly answered: IntakeOptions['answered'];
}

/**
 * An HTTP server without routes: limits on time and connections, guards before every route, and
 * problem documents for every failure.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { timeouts } = options;
  const headersTimeout = Math.min(timeouts.headers, timeouts.request);
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    answerError(error, request, reply, options.log);
  const app = fastify({
    logger: false,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionTimeout: timeouts.idle,
    // Our handler answers 503 with a problem document instead.
    return503OnClosing: false,
    // Consent ids have up to 128 characters; find-my-way's own limit is 100.
    routerOptions: { maxParamLength: 128 },
    http: {
      headersTimeout,
      connectionsCheckingInterval: Math.max(10, Math.floor(headersTimeout / 4)),
      maxHeaderSize: 32 * 1024,
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      void answer(error, request, reply);
    },
  });
  // A client that sends `Expect: 100-continue` (RFC 9110 §10.1.1) receives a refusal before it
  // sends the body. The body's reader sends the 100.
  app.server.on('checkContinue', (request, response) =>
    app.server.emit('request', request, response),
  );
  app.server.on('checkExpectation', (request, response) =>
    app.server.emit('request', request, response),
  );
  // Only one route has a body. It reads the body itself, under its own limit and budget.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, payload, done) => done(null, payload));
  addHooks(app, options);
  app.setErrorHandler(answer);
  app.setNotFoundHandler((request) => {
    throw notFound(request.url);
  });
  return app;
}

function addHooks(app: FastifyInstance, { closing, guarded, answered }: ServerOptions): void {
  if (answered !== undefined)
    app.addHook('onResponse', async ({ is404, routeOptions }, { statusCode, elapsedTime }) => {
      answered(is404 ? undefined : routeOptions.url, statusCode, elapsedTime);
    });
  app.addHook('onRequest', async (request) => {
    if (closing())
      throw unavailable(
        'CLOSING',
        'Expected a running intake; found it closing. Send it again after the time in Retry-After.',
        5,
      );
    refuseFraming(request.raw);
    if (guarded) refuseForeignPages(request.headers);
    // Checked here, before the handler: a body for an unknown route is not read.
    if (request.is404) throw notFound(request.url);
  });
  app.addHook('onSend', async (_, reply) => {
    const kept = reply.hasHeader('cache-control') ? {} : { 'cache-control': 'no-store' };
    reply.headers({
      ...kept,
      'x-content-type-options': 'nosniff',
      ...(closing() ? { connection: 'close' } : {}),
    });
  });
}

function refuseFraming(request: IncomingMessage): void {
  const refused = refusedTransferCoding(request);
  if (refused !== undefined) {
    throw new Problem({
      kind: refused === 'faulty' ? 'invalid-request' : 'not-implemented',
      code: 'TRANSFER_CODING_UNSUPPORTED',
      headers: { connection: 'close' },
      detail:
        'Expected a body with Content-Length, or of HTTP/1.1 with Transfer-Encoding: chunked; found another transfer coding. Send it without.',
    });
  }
  const { expect } = request.headers;
  if (expect === undefined || expect.toLowerCase() === '100-continue') return;
  throw new Problem({
    kind: 'expectation-failed',
    code: 'EXPECTATION_UNSUPPORTED',
    detail: 'Expected no Expect field but 100-continue; found another. Send it without.',
  });
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: IntakeLog | undefined,
): FastifyReply {
  const problem = toProblem(error);
  if (problem.init.cause !== undefined) {
    log?.error(
      {
        code: problem.init.code,
        status: problem.status,
        route: request.routeOptions.url,
        at: callSites(problem.init.cause),
      },
      'A request failed for a reason of ours.',
    );
  }
  // The unsent rest of the body could be read as the next request.
  if (request.headers.expect !== undefined) reply.header('connection', 'close');
  return reply
    .code(problem.status)
    .headers({ ...problem.init.headers })
    .type(PROBLEM_CONTENT_TYPE)
    .send(problem.document);
}

/** The place of the error without its message, which may quote a client's input. */
function callSites(cause: unknown): string[] {
  if (!(cause instanceof Error)) return [];
  return (cause.stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at [^\n]*:\d+:\d+\)?$/.test(line))
    .slice(0, 8);
}
