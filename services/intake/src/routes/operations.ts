import type { FastifyInstance } from 'fastify';

export interface Readiness {
  readonly ready: boolean;
  /** One line each for the operator; no input, no secret. */
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

/** What the process around the intake says of itself. */
export interface Operations {
  /** False: only a restart helps. */
  readonly live: () => boolean;
  readonly ready: () => Readiness | Promise<Readiness>;
  /** Prometheus text and its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

const INDEX = {
  name: 'residency intake',
  paths: {
    'POST /events': 'CloudEvents, binary, structured or JSON batch; 202 once they are durable',
    'GET /submissions/{submission}': 'what became of a submission',
    'GET /consents/{consentId}': 'when a consent was given',
    'GET /livez': 'the process works',
    'GET /readyz': 'the process can take and route submissions',
    'GET /metrics': 'for Prometheus',
  },
};

/** Probes, metrics and the index: open to whoever reaches the port, so nothing in them may be about a submission. */
export function operationsRoutes(app: FastifyInstance, { live, ready, metrics }: Operations): void {
  app.get('/', async () => INDEX);
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
