import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { listening } from './tiny-store.ts';

interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly head: string;
}

/**
 * What happens to a request on the wire: called once its head is there, and again with its body if
 * it returned nothing. What it returns is written as it is; it may also write and destroy.
 */
export type Script = (
  request: WireRequest,
  socket: Socket,
  body: Buffer | undefined,
) => string | undefined;

export const CREATED = 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n';
export const EXISTS = 'HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n';
export const MISSING = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';

/**
 * A create-only store of one client that speaks HTTP/1.1 byte by byte, so that a test can speak it
 * otherwise. It checks no signature.
 */
export class WireStore {
  readonly objects = new Map<string, { readonly body: Buffer; readonly metadata: string }>();
  readonly seen: WireRequest[] = [];
  connections = 0;
  /** The next requests meet these, one each; then every one `always`. */
  readonly next: Script[] = [];
  always: Script | undefined;
  readonly sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.connections += 1;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    this.#serve(socket);
  });

  async listen(): Promise<string> {
    return `http://127.0.0.1:${await listening(this.#server)}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Does what a store does, and returns what it answers. */
  answerTo({ method, target, head }: WireRequest, body: Buffer): string {
    const found = this.objects.get(target);
    if (method === 'HEAD')
      return found === undefined
        ? MISSING
        : `HTTP/1.1 200 OK\r\nETag: "1"\r\n${found.metadata}Content-Length: ${found.body.length}\r\n\r\n`;
    if (found !== undefined) return EXISTS;
    const metadata = head.match(/^x-amz-meta-.*\r\n/gim)?.join('') ?? '';
    this.objects.set(target, { body, metadata });
    return CREATED;
  }

  #serve(socket: Socket): void {
    let read: Buffer = Buffer.alloc(0);
    let request: WireRequest | undefined;
    let script: Script | undefined;
    socket.on('data', (piece: Buffer) => {
      read = Buffer.concat([read, piece]);
      for (;;) {
        if (request === undefined) {
          const end = read.indexOf('\r\n\r\n');
          if (end === -1) return;
          const head = read.toString('latin1', 0, end + 2);
          const [method = '', target = ''] = head.split(' ');
          // The SDK names its operation in a query.
          request = { method, target: target.replace(/\?.*/, ''), head };
          read = read.subarray(end + 4);
          this.seen.push(request);
          script = this.next.shift() ?? this.always;
          const early = script?.(request, socket, undefined);
          if (early !== undefined) socket.write(early, 'latin1');
          if (early !== undefined || socket.destroyed) script = () => '';
        }
        const length = Number(/^content-length: (\d+)/im.exec(request.head)?.[1] ?? 0);
        if (read.length < length) return;
        const body = Buffer.from(read.subarray(0, length));
        read = read.subarray(length);
        const answer =
          script === undefined ? this.answerTo(request, body) : script(request, socket, body);
        [request, script] = [undefined, undefined];
        if (!socket.destroyed && answer !== undefined) socket.write(answer, 'latin1');
      }
    });
  }
}
