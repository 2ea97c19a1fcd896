import type { FastifyInstance } from 'fastify';
import { spareRender } from './spare-render.ts';

export interface Readiness {
  readonly ready: boolean;
  /** One line for each check, for the operator. Contains no input and no secret. */
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly detail?: string;
  }[];
}

/** The state that a process reports. */
export interface Operations {
  /** False: only a restart helps. Never depends on another service. */
  readonly live: () => boolean;
  readonly ready: () => Readiness | Promise<Readiness>;
  /** Prometheus text and its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

/**
 * Probes and metrics. Every client that reaches the port may read them, so they must not contain
 * anything about a submission.
 */
export function operationsRoutes(app: FastifyInstance, { live, ready, metrics }: Operations): void {
  const render = spareRender(metrics);
  app.get('/livez', async (_, reply) => {
    const alive = live();
    return reply.code(alive ? 200 : 503).send({ live: alive });
  });
  app.get('/readyz', async (_, reply) => {
    const readiness = await ready();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  app.get('/metrics', async (_, reply) => {
    const { contentType, body } = await render();
    return reply.header('content-type', contentType).send(body);
  });
}

/** The routes' descriptions for `GET /`. */
export const OPERATIONS_PATHS: Readonly<Record<string, string>> = {
  'GET /livez': 'the process works',
  'GET /readyz': 'the process does its work, or what it waits for',
  'GET /metrics': 'for Prometheus',
};
