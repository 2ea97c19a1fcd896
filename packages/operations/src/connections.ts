import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

// The HTTP framework's names for these types: this package opens no socket of its own.
type Server = FastifyInstance['server'];
type IncomingMessage = FastifyRequest['raw'];
type ServerResponse = FastifyReply['raw'];
type Socket = IncomingMessage['socket'];
type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The most unanswered requests of one connection (pipelining, RFC 9112 §9.3.2). One more closes it.
 */
const PIPELINED = 16;

interface Connection {
  /** The number of requests that have begun and are not answered. */
  requests: number;
  /** The number of them that are held (`hold`). */
  held: number;
}

/**
 * Limits what one client of a port can take from the others. Anybody may open connections. At the
 * limit, a new connection replaces one without a request in progress, the longest idle first, so a
 * probe is answered however many others stay silent.
 */
export class Connections {
  readonly #most: number;
  /** Connections without a request in progress, the longest idle first. */
  readonly #idle = new Map<Socket, Connection>();
  /** Connections with a request in progress, the oldest first. */
  readonly #busy = new Map<Socket, Connection>();
  #held = 0;
  #closing = false;

  /** The server must not listen yet. */
  constructor(server: Server, most: number) {
    this.#most = most;
    server.on('connection', (socket: Socket) => {
      this.#open(socket);
    });
    // Registered before the server's own listeners, so that a refused request does not reach them.
    const handlers = server.listeners('request') as RequestListener[];
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (!this.#begin(request, response)) return;
      for (const handle of handlers) handle(request, response);
    });
  }

  /**
   * Keeps a request's connection from being closed for others until the request is answered.
   * Returns `false` if an eighth of the connections, reserved for probes and other short requests,
   * would not be left.
   */
  hold({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (this.#held >= this.#most - Math.ceil(this.#most / 8)) return false;
    const connection = this.#busy.get(socket);
    if (connection === undefined) return false;
    connection.held += 1;
    this.#held += 1;
    response.once('close', () => {
      connection.held -= 1;
      this.#held -= 1;
    });
    return true;
  }

  /**
   * Closes idle and silent connections, and those still sending headers, at once; the others when
   * they are done.
   */
  closeIdle(): void {
    this.#closing = true;
    for (const socket of this.#idle.keys()) socket.destroy();
  }

  destroyAll(): void {
    for (const socket of [...this.#idle.keys(), ...this.#busy.keys()]) socket.destroy();
  }

  #open(socket: Socket): void {
    if (this.#idle.size + this.#busy.size >= this.#most && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    this.#idle.set(socket, { requests: 0, held: 0 });
    socket.once('close', () => {
      this.#forget(socket);
    });
  }

  #makeRoom(): boolean {
    const [idle] = this.#idle.keys();
    // Of the busy ones, only a connection that sends no body may be closed: it does not read its
    // response, or has almost received it.
    const victim = idle ?? [...this.#busy].find(([, { held }]) => held === 0)?.[0];
    if (victim === undefined) return false;
    this.#forget(victim);
    victim.destroy();
    return true;
  }

  #forget(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }

  #begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#busy.get(socket) ?? this.#idle.get(socket);
    if (connection === undefined || connection.requests >= PIPELINED) {
      // The parser continues with bytes that it has already read, possibly thousands of requests.
      this.#forget(socket);
      socket.destroy();
      return false;
    }
    connection.requests += 1;
    if (this.#idle.delete(socket)) this.#busy.set(socket, connection);
    response.once('close', () => {
      this.#end(socket, connection);
    });
    return true;
  }

  #end(socket: Socket, connection: Connection): void {
    connection.requests -= 1;
    if (connection.requests > 0 || !this.#busy.delete(socket)) return;
    this.#idle.set(socket, connection);
    if (this.#closing) socket.destroySoon();
  }
}
