import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { hasCode, isOutOfHandles, systemFailure } from '@residency/coded-error';
import { Connections } from './connections.ts';
import { OperationsError } from './operations-error.ts';
import { OPERATIONS_PATHS, operationsRoutes } from './operations-routes.ts';
import type { Operations } from './operations-routes.ts';
import { refusedTransferCoding } from './transfer-coding.ts';

export interface OperationsServer {
  /** The address with the actual port. */
  readonly url: string;
  close(): Promise<void>;
}

export interface OperationsOptions extends Operations {
  readonly host: string;
  readonly port: number;
  /** The name of the work for `GET /`, such as `routing`. */
  readonly name: string;
  readonly routes?: (app: FastifyInstance) => void;
  /** The routes' descriptions for `GET /`. */
  readonly paths?: Readonly<Record<string, string>>;
}

const REQUEST_MS = 10_000;
/**
 * Connections for Prometheus, probes and a few people. Strangers replace one another
 * (`Connections`).
 */
const CONNECTIONS = 256;
const STATUS = { faulty: 400, 'not-implemented': 501 } as const;

/**
 * Opens a port for probes and metrics, and for the other `routes` of a service. `port` 0: any free
 * one. Throws `OPERATIONS_PORT_IN_USE` or `OPERATIONS_LISTEN_REFUSED`; then nothing listens.
 */
export async function startOperations({
  host,
  port,
  ...options
}: OperationsOptions): Promise<OperationsServer> {
  const app = createApp(options);
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
    const errno = codeIn(cause);
    if (errno !== undefined && isOutOfHandles(errno)) {
      throw new OperationsError({
        code: 'OPERATIONS_LISTEN_REFUSED',
        message: `Expected to listen on port ${port}, found ${systemFailure(errno)}.`,
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

function createApp({
  name,
  routes,
  paths,
  ...operations
}: Omit<OperationsOptions, 'host' | 'port'>): FastifyInstance {
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS,
    connectionTimeout: REQUEST_MS,
    bodyLimit: 1,
    http: { headersTimeout: REQUEST_MS, connectionsCheckingInterval: REQUEST_MS / 4 },
  });
  void new Connections(app.server, CONNECTIONS);
  app.addHook('onRequest', async ({ raw }, reply) => {
    const refused = refusedTransferCoding(raw);
    if (refused === undefined) return undefined;
    return await reply
      .code(STATUS[refused])
      .header('connection', 'close')
      .send({ code: 'TRANSFER_CODING_UNSUPPORTED' });
  });
  app.get('/', async () => ({ work: name, paths: { ...paths, ...OPERATIONS_PATHS } }));
  // The framework's own response repeats the path.
  app.setNotFoundHandler(
    async (_, reply) =>
      await reply
        .code(404)
        .send({ code: 'PATH_UNKNOWN', detail: 'Expected a path that GET / lists; found another.' }),
  );
  operationsRoutes(app, operations);
  routes?.(app);
  return app;
}

function codeIn(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
