import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/**
 * What happens to one command: `pass`; `fail`: the connection breaks before Redis gets it; `lose`:
 * Redis carries it out and the connection breaks before the answer; `stall`: it and all that
 * follows on its connection are never answered; `dribble`: an answer that goes on and on and never
 * ends; or the bytes that are answered in Redis's place.
 */
export type Fate = 'pass' | 'fail' | 'lose' | 'stall' | 'dribble' | { readonly answer: string };

/**
 * Stands between a client and Redis. Decides about each command of a client that waits for each
 * answer.
 */
export class RespProxy {
  /** In capital letters, in the order they arrived. */
  readonly commands: string[] = [];
  fate: (command: string) => Fate = () => 'pass';
  readonly #upstream: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#upstream = { host: hostname, port: Number(port) };
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Also after `close`, then on the port it had. */
  async listen(): Promise<void> {
    const server = createServer((client) => {
      this.#serve(client);
    }).listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Connections break, and new ones are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  #serve(client: Socket): void {
    const redis = connect(this.#upstream);
    for (const socket of [client, redis]) {
      this.#sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          redis.destroy();
        });
    }
    let losing = false;
    let stalled = false;
    let pending = Buffer.alloc(0);
    client.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      for (let end = commandEnd(pending); end !== undefined; end = commandEnd(pending)) {
        const command = pending.subarray(0, end);
        pending = pending.subarray(end);
        const fate = this.#decide(command);
        stalled ||= fate === 'stall';
        if (stalled) continue;
        if (fate === 'fail') client.destroy();
        else if (fate === 'dribble') dribble(client);
        else if (typeof fate === 'object') client.write(fate.answer);
        else redis.write(command);
        losing ||= fate === 'lose';
      }
    });
    redis.on('data', (bytes: Buffer) => {
      if (losing) client.destroy();
      else client.write(bytes);
    });
  }

  /** Of clients, those that are open. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  #decide(command: Buffer): Fate {
    const name = (command.toString('latin1').split('\r\n')[2] ?? '').toUpperCase();
    this.commands.push(name);
    return this.fate(name);
  }
}

function dribble(client: Socket): void {
  client.write('+');
  const drops = setInterval(() => {
    client.write('.');
  }, 20);
  client.on('close', () => {
    clearInterval(drops);
  });
}

/**
 * Where the first command in `bytes` ends (an array of bulk strings, as clients send them);
 * `undefined` as long as it is not whole.
 */
function commandEnd(bytes: Buffer): number | undefined {
  let at = bytes.indexOf('\r\n');
  if (at < 0) return undefined;
  const count = Number(bytes.subarray(1, at));
  at += 2;
  for (let index = 0; index < count; index += 1) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    at = line + 2 + Number(bytes.subarray(at + 1, line)) + 2;
  }
  return at <= bytes.length ? at : undefined;
}
