import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import type { Protocol } from './protocol.ts';

/** A client's connection and the proxy's connection to the server. */
export interface Ends {
  readonly client: Socket;
  readonly server: Socket;
}

const NOTICE_MS = 10;

interface Waiting<Request> {
  readonly request: Request;
  readonly fault: Fault<Request> | undefined;
}

/** Forwards whole requests and responses both ways, and applies faults to them. */
export class Connection<Request> {
  readonly #ends: Ends;
  readonly #protocol: Protocol<Request>;
  readonly #faultOf: (request: Request) => Fault<Request> | undefined;
  readonly #waiting: Waiting<Request>[] = [];
  readonly #clientGone: Promise<void>;
  #gone = false;
  /**
   * A request of this connection must still reach the server although the client has disconnected.
   */
  #late = false;

  constructor(
    ends: Ends,
    protocol: Protocol<Request>,
    faultOf: (request: Request) => Fault<Request> | undefined,
  ) {
    this.#ends = ends;
    this.#protocol = protocol;
    this.#faultOf = faultOf;
    this.#clientGone = new Promise<void>((resolve) => {
      ends.client.once('end', resolve).once('close', resolve);
    }).then(() => {
      this.#gone = true;
    });
    for (const socket of [ends.client, ends.server]) socket.setNoDelay(true).on('error', () => {});
    ends.client.once('close', () => {
      if (!this.#late) ends.server.destroy();
    });
    ends.server.once('close', () => {
      ends.client.destroy();
    });
    this.#pump(ends.client, ends.server, (bytes) => this.#passRequest(bytes));
    this.#pump(ends.server, ends.client, (bytes) => this.#passAnswer(bytes));
  }

  /** Both sides see a reset, whatever is in flight. */
  reset(): void {
    this.#ends.client.resetAndDestroy();
    this.#ends.server.resetAndDestroy();
  }

  /**
   * Processes one chunk after the other; held bytes are prepended to the next chunk. Reads eagerly,
   * so that the disconnection of a client with a held request is noticed.
   */
  #pump(from: Socket, to: Socket, pass: (bytes: Buffer) => Promise<number>): void {
    let bytes = Buffer.alloc(0);
    let last = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      last = last.then(async () => {
        bytes = Buffer.concat([bytes, chunk]);
        for (let size = await pass(bytes); size > 0; size = await pass(bytes))
          bytes = bytes.subarray(size);
      });
    });
    from.once('end', () => void last.then(() => to.end()));
    from.once('close', () => void last.then(() => to.end()));
  }

  async #passRequest(bytes: Buffer): Promise<number> {
    if (bytes.length === 0) return 0;
    const taken = this.#protocol.takeRequest(bytes, this.#waiting.length);
    if (taken === undefined) return 0;
    const { size, request } = taken;
    const fault = request === undefined ? undefined : this.#faultOf(request);
    if (fault !== undefined && !(await this.#hold(fault))) return 0;
    if (request !== undefined) this.#waiting.push({ request, fault });
    await write(this.#ends.server, bytes.subarray(0, size));
    return size;
  }

  /** Returns whether the request may continue. */
  async #hold(fault: Fault<Request>): Promise<boolean> {
    if (fault.kind === 'drop-answer' || fault.kind === 'stall-answer') return true;
    this.#late ||= fault.kind === 'late';
    fault.hit();
    if (fault.kind === 'cut') {
      this.reset();
      return false;
    }
    if (fault.kind === 'delay') await sleep(fault.ms);
    else if (fault.kind === 'late') await fault.cleared;
    else {
      await Promise.race([fault.cleared, this.#clientGone]);
      // The disconnection of a client is known only once its end has been read.
      await sleep(NOTICE_MS);
    }
    return fault.kind === 'late' || !this.#gone;
  }

  async #passAnswer(bytes: Buffer): Promise<number> {
    if (bytes.length === 0) return 0;
    const taken = this.#protocol.takeAnswer(bytes);
    if (taken === undefined) return 0;
    const index =
      this.#waiting.length === 0
        ? -1
        : (taken.answers?.(this.#waiting.map(({ request }) => request)) ?? -1);
    const fault = index < 0 ? undefined : this.#waiting.splice(index, 1)[0]?.fault;
    if (fault?.kind === 'drop-answer') {
      this.reset();
      fault.hit();
      return 0;
    }
    if (fault?.kind === 'stall-answer') {
      fault.hit();
      await Promise.race([fault.cleared, this.#clientGone]);
    }
    await write(this.#ends.client, bytes.subarray(0, taken.size));
    return taken.size;
  }
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  // An error precedes a close: the other side has disconnected, which is not a failure of the
  // proxy.
  await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
}
