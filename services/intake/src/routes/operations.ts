import { OPERATIONS_PATHS, operationsRoutes } from '@residency/operations';
import type { Operations } from '@residency/operations';
import type { FastifyInstance } from 'fastify';

const INDEX = {
  name: 'residency intake',
  paths: {
    'POST /events': 'CloudEvents, binary, structured or JSON batch; 202 once they are durable',
    'GET /submissions/{submission}': 'what became of a submission',
    'GET /consents/{consentId}': 'when a consent was given',
    ...OPERATIONS_PATHS,
  },
};

/** The index, probes and metrics, open to every client that reaches the port. */
export function openRoutes(app: FastifyInstance, operations: Operations): void {
  app.get('/', async () => INDEX);
  operationsRoutes(app, operations);
}
