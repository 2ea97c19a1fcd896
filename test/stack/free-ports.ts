import { createSocket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which systems take the local ports of outgoing connections: a server that
// was killed finds its port free again.
const RANGE = { first: 10_240, last: 32_000 };
const TRIES = 200;

/**
 * Ports that nobody listens on and that no other call returns, in whichever process, until this
 * process ends: a server that starts late, or was killed, finds its port free.
 */
export async function freePorts(count: number, { first, last } = RANGE): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count && tries < TRIES; tries += 1) {
    const port = randomInt(first, last + 1);
    if ((await reserve(port)) && (await free(port))) ports.push(port);
  }
  if (ports.length < count)
    throw new Error(
      `Expected ${count} free ports between ${first} and ${last}, found ${ports.length}; end what listens there.`,
    );
  return ports;
}

/**
 * Binds the UDP port of the same number. The system lets one process have it, and takes it back
 * however that process ends.
 */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').unref();
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      resolve(true);
    });
  });
}

function free(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
