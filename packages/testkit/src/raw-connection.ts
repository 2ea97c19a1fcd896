import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A TCP connection to a port of this machine that sends exactly this text, and keeps what it
 * receives. It ends with the test that made it.
 */
export class RawConnection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** One character for each byte. */
  received = '';

  constructor(port: number, text: string) {
    this.socket = connect(port, '127.0.0.1');
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
    });
    // The server may close the connection: tests that use this are about that.
    this.socket.on('error', () => undefined);
    this.socket.once('close', () => resolve());
    if (text !== '') this.socket.write(text);
    onTestFinished(() => {
      this.socket.destroy();
    });
  }
}
