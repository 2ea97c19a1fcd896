import { Connections, refusedTransferCoding } from '@residency/operations';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerClientError } from './client-error.ts';
import { refuseForeignPages } from './loopback.ts';
import { KnownPaths } from './known-paths.ts';
import { PROBLEM_CONTENT_TYPE, Problem, unavailable } from './problem.ts';
import { DEFAULT_MAX_CONNECTIONS, DEFAULT_TIMEOUTS } from './server-options.ts';
import type { ServerOptions, Timeouts } from './server-options.ts';
import { toProblem } from './to-problem.ts';

/** A server that does not listen yet. A service adds its routes to `app`, then `serve` opens it. */
export interface HttpServer {
  readonly app: FastifyInstance;
  readonly connections: Connections;
  readonly guarded: boolean;
  /** Milliseconds that requests in progress get when it closes. */
  readonly grace: number;
  /** From then on each request is answered 503, and its connection closed. */
  closing: boolean;
}

/**
 * An HTTP server without routes: limits on time and connections, guards before every route, and
 * problem documents for every failure. A route that has a body reads it with `withBody`.
 */
export function createServer(options: ServerOptions): HttpServer {
  const { guarded, maxConnections = DEFAULT_MAX_CONNECTIONS } = options;
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const app = newApp(options, timeouts);
  const paths = new KnownPaths(app);
  const connections = new Connections(app.server, maxConnections);
  const server = { app, connections, guarded, grace: timeouts.grace, closing: false };
  addHooks(server, paths, options);
  return server;
}

function newApp(options: ServerOptions, timeouts: Timeouts): FastifyInstance {
  const headersTimeout = Math.min(timeouts.headers, timeouts.request);
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    answerError(error, request, reply, options);
  const app = fastify({
    logger: false,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionTimeout: timeouts.idle,
    // Our handler answers 503 with a problem document instead.
    return503OnClosing: false,
    // Ids, such as a consent's, have up to 128 characters; find-my-way's own limit is 100.
    routerOptions: { maxParamLength: 128 },
    http: {
      headersTimeout,
      connectionsCheckingInterval: Math.max(10, Math.floor(headersTimeout / 4)),
      maxHeaderSize: 32 * 1024,
    },
    clientErrorHandler: (error, socket) => {
      answerClientError(error, socket, options.service);
    },
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
  // A route reads its body itself, under its own limit and budget.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, payload, done) => done(null, payload));
  app.setErrorHandler(answer);
  return app;
}

function addHooks(
  server: HttpServer,
  paths: KnownPaths,
  { service, answered }: ServerOptions,
): void {
  const { app } = server;
  app.setNotFoundHandler(({ url }) => {
    throw paths.notFound(url, service.name);
  });
  if (answered !== undefined)
    app.addHook('onResponse', async ({ is404, routeOptions }, { statusCode, elapsedTime }) => {
      answered(is404 ? undefined : routeOptions.url, statusCode, elapsedTime);
    });
  app.addHook('onRequest', async (request) => {
    if (server.closing)
      throw unavailable(
        'CLOSING',
        `Expected a running ${service.name}; found it closing. Send it again after the time in Retry-After.`,
        5,
      );
    refuseFraming(request.raw);
    if (server.guarded) refuseForeignPages(request.headers, service.name);
    // Checked here, before the handler: a body for an unknown route is not read.
    if (request.is404) throw paths.notFound(request.url, service.name);
  });
  app.addHook('onSend', async (_, reply) => {
    const kept = reply.hasHeader('cache-control') ? {} : { 'cache-control': 'no-store' };
    reply.headers({
      ...kept,
      'x-content-type-options': 'nosniff',
      ...(server.closing ? { connection: 'close' } : {}),
    });
  });
}

function refuseFraming(request: FastifyRequest['raw']): void {
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
  { service, log }: ServerOptions,
): FastifyReply {
  const problem = toProblem(error, service);
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
    .send(problem.document(service.name));
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
