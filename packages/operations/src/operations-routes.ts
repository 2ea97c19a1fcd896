import type { FastifyInstance } from 'fastify';

export interface Readiness {
  readonly ready: boolean;
  /** One line each for the operator; no input, no secret. */
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly detail?: string;
  }[];
}

/** What a process says of itself. */
export interface Operations {
  /** False: only a restart helps. Never asks another service. */
  readonly live: () => boolean;
  readonly ready: () => Readiness | Promise<Readiness>;
  /** Prometheus text and its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Probes and metrics: open to whoever reaches the port, so nothing in them may be about a submission. */
export function operationsRoutes(app: FastifyInstance, { live, ready, metrics }: Operations): void {
  app.get('/livez', async (_, reply) => {
    const alive = live();
    return reply.code(alive ? 200 : 503).send({ live: alive });
  });
  app.get('/readyz', async (_, reply) => {
    const readiness = await ready();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  app.get('/metrics', async (_, reply) => {
    const { contentType, body } = await metrics();
    return reply.header('content-type', contentType).send(body);
  });
}
