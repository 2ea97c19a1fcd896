import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to one request on its way to the store and back. */
export type Fault =
  | 'pass'
  /** Passes, a little later. */
  | 'slow'
  /** The connection breaks before the store hears of it. */
  | 'failed'
  /** The store did it; its answer is lost. */
  | 'failed-but-persisted'
  /** No answer, ever. The store does not hear of it. */
  | 'stalled'
  /** The store did it; its answer never comes. */
  | 'stalled-but-persisted'
  /** The answer begins, with half of its body, and breaks off. */
  | 'broken-off'
  /** One byte of the body is another when the store gets it. */
  | 'altered'
  /**
   * The store did it; its answer comes with other headers (`undefined`: without one of its own), or
   * another body.
   */
  | { readonly answer: Record<string, string | undefined>; readonly body?: string }
  /** An answer of the proxy's own. */
  | {
      readonly status: number;
      readonly code?: string;
      readonly text?: string;
      readonly headers?: Record<string, string>;
    };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Stands between the adapter and a real store. Forwards headers as they are, so signatures stay
 * valid.
 */
export class FaultProxy {
  readonly seen: SeenRequest[] = [];
  /** Connections ever made. */
  connections = 0;
  readonly #server = createServer((incoming, answer) => {
    void this.#serve(incoming, answer);
  });
  readonly #sockets = new Set<Socket>();
  #store: URL;
  #faults: { readonly method: string; readonly fault: Fault }[] = [];
  readonly #always = new Map<string, Fault>();

  constructor(store: string) {
    this.#store = new URL(store);
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return this.endpoint;
  }

  /** The name leads to another store from now on, with new connections only. */
  leadTo(store: string): void {
    this.#store = new URL(store);
  }

  /** The next requests of this method meet these faults, one each. */
  next(method: string, ...faults: readonly Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ method, fault })));
  }

  /** Every request of this method meets this fault, until `heal`. */
  always(method: string, fault: Fault): void {
    this.#always.set(method, fault);
  }

  heal(): void {
    this.#always.clear();
    this.#faults = [];
  }

  count(method: string): number {
    return this.seen.filter((one) => one.method === method).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '', headers, socket } = incoming;
    this.seen.push({ method, path: url, headers });
    const fault = this.#faultFor(method);
    if (fault === 'failed') {
      socket.destroy();
      return;
    }
    const body = Buffer.concat(await Array.fromAsync(incoming));
    if (fault === 'stalled') return;
    if (fault === 'slow') await sleep(50);
    if (typeof fault === 'object' && 'status' in fault) {
      answer.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
      answer.end(method === 'HEAD' ? '' : (fault.text ?? errorBody(fault.code)));
      return;
    }
    if (fault === 'altered') body[0] = (body[0] ?? 0) ^ 1;
    const stored = await this.#forward(method, url, headers, body);
    if (typeof fault === 'object' && 'answer' in fault) {
      const kept = without(
        { ...stored.headers, ...fault.answer },
        Object.keys(fault.answer).filter((name) => fault.answer[name] === undefined),
      );
      // A HEAD's answer without a length must not get one of Node's.
      answer.writeHead(stored.status, kept);
      answer.end(method === 'HEAD' ? undefined : (fault.body ?? stored.body));
      return;
    }
    if (fault === 'stalled-but-persisted') return;
    if (fault === 'failed-but-persisted') {
      socket.destroy();
      return;
    }
    answer.writeHead(stored.status, stored.headers);
    if (fault === 'broken-off')
      answer.write(stored.body.subarray(0, stored.body.length / 2), () => {
        socket.destroy();
      });
    else answer.end(stored.body);
  }

  #faultFor(method: string): Fault {
    const always = this.#always.get(method);
    if (always !== undefined) return always;
    const index = this.#faults.findIndex((one) => one.method === method);
    return index === -1 ? 'pass' : (this.#faults.splice(index, 1)[0]?.fault ?? 'pass');
  }

  #forward(
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: this.#store.hostname, port: this.#store.port, method, path, headers },
        (response) => {
          void Array.fromAsync(response).then((pieces) => {
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(pieces),
            });
          }, reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

function errorBody(code: string | undefined): string {
  return code === undefined
    ? ''
    : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}
