import { isOutOfHandles, systemFailure } from '@residency/coded-error';
import { HttpServerError } from './http-server-error.ts';
import { isLoopback } from './loopback.ts';
import type { HttpServer } from './server.ts';

export interface ServeOptions {
  /**
   * An address or `localhost`, which means 127.0.0.1. Any other than loopback requires tokens.
   */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface Served {
  /** The address with the actual port. */
  readonly url: string;
  /**
   * Stops accepting, lets requests in progress finish within the grace period, then closes the
   * remaining connections. Never throws; may be called again.
   */
  close(): Promise<void>;
}

/**
 * Opens the port of a server that has its routes. Resolves once it listens. Throws
 * `TOKENS_REQUIRED`, `PORT_IN_USE` or `LISTEN_REFUSED`; then nothing listens.
 */
export async function serve(server: HttpServer, { host, port }: ServeOptions): Promise<Served> {
  if (server.guarded && !isLoopback(host)) throw tokensRequired();
  await listen(server, host, port);
  let closed: Promise<void> | undefined;
  return { url: urlOf(server, host), close: () => (closed ??= close(server)) };
}

async function listen({ app }: HttpServer, host: string, port: number): Promise<void> {
  try {
    // For `localhost` Fastify would open a second server, without the limits of the first.
    await app.listen({ host: host.toLowerCase() === 'localhost' ? '127.0.0.1' : host, port });
  } catch (error) {
    await app.close();
    throw listenError(error, port);
  }
}

async function close(server: HttpServer): Promise<void> {
  const { app, connections, grace } = server;
  server.closing = true;
  const timer = setTimeout(() => connections.destroyAll(), grace);
  const closed = app.close();
  connections.closeIdle();
  await closed;
  clearTimeout(timer);
}

function urlOf({ app }: HttpServer, host: string): string {
  const [address] = app.addresses();
  const port = typeof address === 'object' ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenError(error: unknown, port: number): HttpServerError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new HttpServerError({
      code: 'PORT_IN_USE',
      remedy: 'stop',
      message: `Expected port ${port} to be free, found another process listening on it. Stop that one, or choose another port.`,
      cause: error,
    });
  }
  if (typeof code === 'string' && isOutOfHandles(code)) {
    return new HttpServerError({
      code: 'LISTEN_REFUSED',
      remedy: 'stop',
      message: `Expected to listen on port ${port}, found ${systemFailure(code)}.`,
      cause: error,
    });
  }
  return new HttpServerError({
    code: 'LISTEN_REFUSED',
    remedy: 'stop',
    message: `Expected to listen on port ${port} of the configured host, found that the system refuses it. Choose an address of this machine and a port this user may open.`,
    cause: error,
  });
}

function tokensRequired(): HttpServerError {
  return new HttpServerError({
    code: 'TOKENS_REQUIRED',
    remedy: 'stop',
    message:
      'Expected bearer tokens, because the configured host is not loopback and others can reach it; found none. Configure tokens with their scopes, or listen on 127.0.0.1.',
  });
}
