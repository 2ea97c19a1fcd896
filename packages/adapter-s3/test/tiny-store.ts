import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { encodeSiteMarker } from '@residency/contracts';
import type { SiteIdentity } from '@residency/contracts';

/**
 * A store of one bucket that checks no signature: it has a marker and a probe, refuses to overwrite
 * that, and counts what is put.
 */
export class TinyStore {
  readonly puts: string[] = [];
  /** The access key that is accepted; absent: any. */
  accessKeyId: string | undefined;
  readonly #identity: SiteIdentity;
  readonly #server = createServer((request, response) => {
    request.resume().once('end', () => {
      this.#answer(request, response);
    });
  });

  constructor(identity: SiteIdentity) {
    this.#identity = identity;
  }

  async listen(): Promise<number> {
    return await listening(this.#server);
  }

  /** The connections that there are, and the server. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const isMarker = url.includes('residency-site.json');
    const isProbe = url.includes('residency-site.probe');
    if (
      this.accessKeyId !== undefined &&
      headers.authorization?.includes(`Credential=${this.accessKeyId}/`) !== true
    ) {
      response
        .writeHead(400, { 'content-type': 'application/xml' })
        .end(method === 'HEAD' ? undefined : '<Error><Code>ExpiredToken</Code></Error>');
    } else if (method === 'PUT' && !isProbe) {
      this.puts.push(url);
      response.writeHead(200, { etag: '"1"', 'content-length': 0 }).end();
    } else if (method === 'PUT') response.writeHead(412, { 'content-length': 0 }).end();
    else if (method === 'GET' && isMarker)
      response.writeHead(200, { etag: '"1"' }).end(encodeSiteMarker(this.#identity));
    else response.writeHead(404, { 'content-length': 0 }).end();
  }
}

/**
 * A name that leads to one port, and later to another: connections that were made before stay where
 * they are.
 */
export class Name {
  port: number;
  readonly #sockets = new Set<Socket>();
  readonly #server = createTcpServer((client) => {
    const store = connect(this.port, '127.0.0.1');
    for (const [one, other] of [
      [client, store],
      [store, client],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      one
        .on('error', () => undefined)
        .on('close', () => {
          other.destroy();
        });
    }
  });

  constructor(port: number) {
    this.port = port;
  }

  async listen(): Promise<number> {
    return await listening(this.#server);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Listens on a free port, and returns it. */
export async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
