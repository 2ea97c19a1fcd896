import { connect } from 'node:net';

/**
 * Sends bytes over a connection of its own and resolves once `complete` says that the answer is
 * whole.
 */
export function exchange(
  port: number,
  request: Uint8Array,
  complete: (answer: Buffer) => boolean,
  timeoutMs = 60_000,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1' });
    const fail = (why: string): void => {
      socket.destroy(
        new Error(`Expected an answer from port ${port}, found ${why}; is the server up?`),
      );
    };
    socket.setTimeout(timeoutMs, () => {
      fail('none in time');
    });
    socket.on('error', reject);
    socket.on('end', () => {
      fail('the connection closed');
    });
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (!complete(answer)) return;
      resolve(answer);
      socket.destroy();
    });
    socket.write(request);
  });
}
