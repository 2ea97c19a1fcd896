import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Held {
  readonly timer: NodeJS.Timeout;
  /** The whole answer was handed to the system, which may still have to send it. */
  isAnswered: boolean;
}

/**
 * Ends connections that may still have bytes of a sample to send. A client that does not read leaves
 * up to its send buffer (megabytes) with the system, for which the answer is over.
 */
export class SampleConnections {
  readonly #held = new WeakMap<Socket, Held>();

  /**
   * Resets the connection after `ms`, and closes it in no other way before: what was not sent by then
   * is dropped. Replaces an earlier time.
   */
  endAfter(socket: Socket, response: ServerResponse, ms: number): void {
    const before = this.#held.get(socket);
    clearTimeout(before?.timer);
    const timer = setTimeout(() => socket.resetAndDestroy(), Math.max(0, ms));
    const held: Held = { timer, isAnswered: false };
    this.#held.set(socket, held);
    if (before === undefined)
      socket.once('close', () => {
        clearTimeout(this.#held.get(socket)?.timer);
      });
    // After the server's own listener: idle, it would be closed with the rest still to be sent.
    response.once('close', () => {
      held.isAnswered = true;
      socket.setTimeout(0);
    });
  }

  /** A request came on it: a client that asks after an answer has read it. */
  used(socket: Socket): void {
    const held = this.#held.get(socket);
    if (held?.isAnswered === true) clearTimeout(held.timer);
  }
}
