import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { hasCode } from '@residency/coded-error';
import { OperationsError } from './operations-error.ts';
import { operationsRoutes } from './operations-routes.ts';
import type { Operations } from './operations-routes.ts';

export interface OperationsServer {
  /** With the port it really has. */
  readonly url: string;
  close(): Promise<void>;
}

export interface OperationsTerms extends Operations {
  readonly host: string;
  readonly port: number;
  readonly routes?: (app: FastifyInstance) => void;
}

const REQUEST_MS = 10_000;

/** A port for probes and metrics, and the `routes` a service has besides. `port` 0: any free one. Throws `OPERATIONS_PORT_IN_USE` or `OPERATIONS_LISTEN_REFUSED`; then nothing listens. */
export async function startOperations({
  host,
  port,
  routes,
  ...operations
}: OperationsTerms): Promise<OperationsServer> {
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS,
    connectionTimeout: REQUEST_MS,
    bodyLimit: 1,
  });
  operationsRoutes(app, operations);
  routes?.(app);
  try {
    const url = await app.listen({ host, port });
    return { url, close: () => app.close() };
  } catch (cause) {
    await app.close();
    if (hasCode(cause, 'EADDRINUSE')) {
      throw new OperationsError({
        code: 'OPERATIONS_PORT_IN_USE',
        message: `Expected port ${port} to be free for probes and metrics, found another process listening on it. Stop that one, or set RESIDENCY_HTTP_PORT.`,
        remedy: 'stop',
        cause,
      });
    }
    throw new OperationsError({
      code: 'OPERATIONS_LISTEN_REFUSED',
      message: `Expected to listen on port ${port} of RESIDENCY_HTTP_HOST, found that the system refuses it. Choose an address of this machine and a port this user may open.`,
      remedy: 'stop',
      cause,
    });
  }
}
