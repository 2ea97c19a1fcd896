import { DEFAULT_LIMITS } from '@residency/contracts';
import { BodyBudget, Tokens, createServer, serve } from '@residency/http-server';
import type { Served, ServiceWords } from '@residency/http-server';
import { Decoder } from './decoding/decoder.ts';
import type { IntakeOptions } from './intake-options.ts';
import { consentsRoute } from './routes/consents.ts';
import { eventsRoute } from './routes/events.ts';
import { openRoutes } from './routes/operations.ts';
import { submissionsRoute } from './routes/submissions.ts';
import { SCOPES } from './scopes.ts';

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

const SERVICE: ServiceWords = {
  name: 'intake',
  dependency: 'log',
  headersAdvice: 'Use structured mode for long attributes.',
};

export type Intake = Served;

/**
 * Resolves once it listens. Throws `TOKENS_REQUIRED`, `INVALID_TOKEN`, `PORT_IN_USE` or
 * `LISTEN_REFUSED`; then nothing listens.
 */
export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const { limits = DEFAULT_LIMITS } = options;
  const tokens = new Tokens({
    service: SERVICE.name,
    scopes: SCOPES,
    tokens: options.tokens ?? [],
  });
  const server = createServer({
    ...options,
    service: SERVICE,
    guarded: !tokens.required,
  });
  const { app, connections } = server;
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
  options.routes?.(server);
  const served = await serve(server, options);
  return {
    url: served.url,
    close: async () => {
      await served.close();
      await decoder.close();
    },
  };
}
