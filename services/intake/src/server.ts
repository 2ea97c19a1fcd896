import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerClientError } from './client-error.ts';
import type { IntakeLog, IntakeOptions, IntakeTimeouts } from './intake-options.ts';
import { refuseForeignPages } from './loopback.ts';
import { notFound } from './not-found.ts';
import { PROBLEM_CONTENT_TYPE, unavailable } from './problem.ts';
import { toProblem } from './to-problem.ts';

export interface ServerTerms {
  readonly timeouts: IntakeTimeouts;
  readonly maxConnections: number;
  /** Loopback without tokens: pages of other origins are kept out. */
  readonly guarded: boolean;
  /** True from `close` on. */
  readonly closing: () => boolean;
  readonly log: IntakeLog | undefined;
  readonly answered: IntakeOptions['answered'];
}

/** HTTP without routes: bounds on time and connections, the guards before every route, and problem documents for every failure. */
export function createServer(terms: ServerTerms): FastifyInstance {
  const { timeouts } = terms;
  const headersTimeout = Math.min(timeouts.headers, timeouts.request);
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    answerError(error, request, reply, terms.log);
  const app = fastify({
    logger: false,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionTimeout: timeouts.idle,
    // Ours says 503 with a problem document.
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
  app.server.maxConnections = terms.maxConnections;
  // A client that asks first (RFC 9110 §10.1.1) learns of a refusal before it sends the body: whoever reads the body says go on.
  app.server.on('checkContinue', (request, response) =>
    app.server.emit('request', request, response),
  );
  // Bodies are read by the one route that has one, under its own limit and budget.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, payload, done) => done(null, payload));
  addHooks(app, terms);
  app.setErrorHandler(answer);
  app.setNotFoundHandler((request) => {
    throw notFound(request.url);
  });
  return app;
}

function addHooks(app: FastifyInstance, { closing, guarded, answered }: ServerTerms): void {
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
    if (guarded) refuseForeignPages(request.headers);
    // Here, not in the handler: a body sent nowhere is not read.
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
  // The body it still waits to send could be taken for the next request.
  if (request.headers.expect !== undefined) reply.header('connection', 'close');
  return reply
    .code(problem.status)
    .headers({ ...problem.init.headers })
    .type(PROBLEM_CONTENT_TYPE)
    .send(problem.document);
}

/** Where it happened, without the message: one that is not ours may quote what a client sent. */
function callSites(cause: unknown): string[] {
  if (!(cause instanceof Error)) return [];
  return (cause.stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at [^\n]*:\d+:\d+\)?$/.test(line))
    .slice(0, 8);
}
