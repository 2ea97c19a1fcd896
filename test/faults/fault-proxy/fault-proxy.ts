import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Connection } from './connection.ts';
import { Fault } from './fault.ts';
import type { FaultPlan } from './fault.ts';
import type { Protocol } from './protocol.ts';

/**
 * A port in front of a server on 127.0.0.1, with real connections. Forwards everything until a
 * fault is injected.
 */
export class FaultProxy<Request> {
  /** Where clients connect. */
  readonly port: number;
  /** Every request seen, in order. */
  readonly requests: Request[] = [];
  /** The server's port; until it is set, connections are reset. */
  target: number | undefined;
  readonly #listener: Server;
  readonly #connections = new Set<Connection<Request>>();
  readonly #faults = new Set<Fault<Request>>();
  #refusing = false;

  private constructor(listener: Server, protocol: Protocol<Request>, target: number | undefined) {
    this.#listener = listener;
    this.port = (listener.address() as AddressInfo).port;
    this.target = target;
    listener.on('connection', (client) => {
      this.#accept(client, protocol);
    });
  }

  static async open<Request>(
    protocol: Protocol<Request>,
    target?: number,
  ): Promise<FaultProxy<Request>> {
    const listener = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return new FaultProxy(listener, protocol, target);
  }

  /** Applies a fault from now on; the first fault that matches a request wins. */
  inject(plan: FaultPlan<Request>): Fault<Request> {
    const fault = new Fault(plan);
    this.#faults.add(fault);
    return fault;
  }

  /** Resets every connection, and new ones at once, until `clear`. */
  refuse(): void {
    this.#refusing = true;
    this.reset();
  }

  /** Resets every open connection. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Forwards everything again and releases held requests. */
  clear(): void {
    this.#refusing = false;
    for (const fault of this.#faults) fault.clear();
    this.#faults.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#listener.close(() => {
        resolve();
      });
    });
    this.reset();
    this.clear();
    await closed;
  }

  #accept(client: Socket, protocol: Protocol<Request>): void {
    if (this.#refusing || this.target === undefined) {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    const connection = new Connection({ client, server }, protocol, (request: Request) => {
      this.requests.push(request);
      return [...this.#faults].find((fault) => fault.takes(request));
    });
    this.#connections.add(connection);
    server.once('close', () => this.#connections.delete(connection));
  }
}
