import { isOutOfHandles, systemFailure } from '@residency/coded-error';
import { DEFAULT_LIMITS } from '@residency/contracts';
import { Connections } from '@residency/operations';
import type { FastifyInstance } from 'fastify';
import { BodyBudget } from './body-budget.ts';
import { Decoder } from './decoding/decoder.ts';
import { IntakeError } from './intake-error.ts';
import { DEFAULT_MAX_CONNECTIONS, DEFAULT_TIMEOUTS } from './intake-options.ts';
import type { IntakeOptions } from './intake-options.ts';
import { isLoopback } from './loopback.ts';
import { consentsRoute } from './routes/consents.ts';
import { eventsRoute } from './routes/events.ts';
import { openRoutes } from './routes/operations.ts';
import { submissionsRoute } from './routes/submissions.ts';
import { createServer } from './server.ts';
import { Tokens } from './tokens.ts';

/** The patterns of all routes. */
export const INTAKE_ROUTES: readonly string[] = [
  '/',
  '/events',
  '/submissions/:submission',
  '/consents/:consentId',
  '/livez',
  '/readyz',
  '/metrics',
];

export interface Intake {
  /** The address with the actual port. */
  readonly url: string;
  /**
   * Stops accepting, lets requests in progress finish within the grace period, then closes the
   * remaining connections. Never throws; may be called again.
   */
  close(): Promise<void>;
}

/**
 * Resolves once it listens. Throws `TOKENS_REQUIRED`, `INVALID_TOKEN`, `PORT_IN_USE` or
 * `LISTEN_REFUSED`; then nothing listens.
 */
export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const { host, limits = DEFAULT_LIMITS, maxConnections = DEFAULT_MAX_CONNECTIONS, log } = options;
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const tokens = new Tokens(options.tokens ?? []);
  if (!isLoopback(host) && !tokens.required) throw tokensRequired();
  let closing: Promise<void> | undefined;
  const app = createServer({
    timeouts,
    guarded: !tokens.required,
    closing: () => closing !== undefined,
    log,
    answered: options.answered,
  });
  const connections = new Connections(app.server, maxConnections);
  const decoder = new Decoder();
  // With a budget below one body, the largest body would always be refused.
  const budget = new BodyBudget(Math.max(limits.inFlightBytes, limits.recordBytes));
  eventsRoute(app, {
    appender: options.appender,
    tokens,
    limits,
    budget,
    decoder,
    connections,
    draining: options.draining ?? (() => false),
  });
  submissionsRoute(app, { status: options.status, tokens });
  consentsRoute(app, { consents: options.consents, tokens });
  openRoutes(app, options.operations);
  options.routes?.(app);
  await listen(app, host, options.port);
  return {
    url: urlOf(app, host),
    close: () => (closing ??= close(app, connections, timeouts.grace).then(() => decoder.close())),
  };
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    // For `localhost` Fastify would open a second server, without the limits of the first.
    await app.listen({ host: host.toLowerCase() === 'localhost' ? '127.0.0.1' : host, port });
  } catch (error) {
    await app.close();
    throw listenError(error, port);
  }
}

async function close(app: FastifyInstance, connections: Connections, grace: number): Promise<void> {
  const timer = setTimeout(() => connections.destroyAll(), grace);
  const closed = app.close();
  connections.closeIdle();
  await closed;
  clearTimeout(timer);
}

function urlOf(app: FastifyInstance, host: string): string {
  const [address] = app.addresses();
  const port = typeof address === 'object' ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenError(error: unknown, port: number): IntakeError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new IntakeError({
      code: 'PORT_IN_USE',
      remedy: 'stop',
      message: `Expected port ${port} to be free, found another process listening on it. Stop that one, or choose another port.`,
      cause: error,
    });
  }
  if (typeof code === 'string' && isOutOfHandles(code)) {
    return new IntakeError({
      code: 'LISTEN_REFUSED',
      remedy: 'stop',
      message: `Expected to listen on port ${port}, found ${systemFailure(code)}.`,
      cause: error,
    });
  }
  return new IntakeError({
    code: 'LISTEN_REFUSED',
    remedy: 'stop',
    message: `Expected to listen on port ${port} of the configured host, found that the system refuses it. Choose an address of this machine and a port this user may open.`,
    cause: error,
  });
}

function tokensRequired(): IntakeError {
  return new IntakeError({
    code: 'TOKENS_REQUIRED',
    remedy: 'stop',
    message:
      'Expected bearer tokens, because the configured host is not loopback and others can reach it; found none. Configure tokens with their scopes, or listen on 127.0.0.1.',
  });
}
