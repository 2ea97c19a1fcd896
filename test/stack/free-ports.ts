import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which systems take the local ports of outgoing connections: a server that was killed finds its port free again.
const [FIRST, LAST] = [10_240, 32_000];
const TRIES = 200;

/** Ports that nobody listens on. Somebody else may still be quicker, so whoever starts a server tries again with others. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count && tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, LAST);
    if (await free(port)) ports.add(port);
  }
  if (ports.size < count)
    throw new Error(
      `Expected ${count} free ports between ${FIRST} and ${LAST}, found ${ports.size}; end what listens there.`,
    );
  return [...ports];
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
