import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { loadKafkajs } from '../src/kafkajs/mend-kafkajs.ts';

const run = promisify(execFile);
const source = (path: string): string => new URL(`../src/${path}`, import.meta.url).href;
const node = async (code: string): Promise<string> =>
  (
    await run(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
    })
  ).stdout;

it('requires the one version of kafkajs whose files it knows', () => {
  const require = createRequire(import.meta.url);
  expect((require('kafkajs/package.json') as { version: string }).version).toBe('2.2.4');
  expect(
    (require('../package.json') as { dependencies: Record<string, string> }).dependencies[
      'kafkajs'
    ],
  ).toBe('2.2.4');
});

it('replaces the functions of kafkajs whichever file of this package is imported first', async () => {
  const mended = `import { createRequire } from 'node:module'; const require = createRequire('${source('index.ts')}');
    const { default: _, ...adapter } = await import('${source('index.ts')}');
    const files = ['protocol/recordBatch/record/v0', 'protocol/requests/fetch/v4/decodeMessages', 'consumer/filterAbortedMessages'].map((file) => require('kafkajs/src/' + file));
    files.push(require('kafkajs/src/network/requestQueue').prototype, require('kafkajs/src/network/connection').prototype);
    console.log(files.map((each) => Symbol.for('@residency/adapter-kafka:mended') in each).join());`;
  expect((await node(mended)).trim()).toBe('true,true,true,true,true');
});

it('refuses to run if kafkajs was loaded before, because its functions could not be replaced', async () => {
  await expect(
    node(`await import('kafkajs'); await import('${source('index.ts')}');`),
  ).rejects.toThrow('first to load kafkajs');
});

interface ConnectionOfKafkajs {
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  send(request: object): Promise<unknown>;
  isConnected(): boolean;
}

/** A connection to a server that takes connections and says nothing. */
async function silentServer(
  requestTimeout: number,
): Promise<{ connection: ConnectionOfKafkajs; sockets: Socket[]; close: () => void }> {
  loadKafkajs();
  const require = createRequire(import.meta.url);
  const Connection = require('kafkajs/src/network/connection') as new (
    options: object,
  ) => ConnectionOfKafkajs;
  const socketFactory = (require('kafkajs/src/network/socketFactory') as () => unknown)();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.resume());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const silent = { debug() {}, info() {}, warn() {}, error() {}, namespace: () => silent };
  const connection = new Connection({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    logger: silent,
    socketFactory,
    connectionTimeout: 5_000,
    requestTimeout,
  });
  return {
    connection,
    sockets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

it('opens one socket for a connection under any number of concurrent calls, and another only after it closed', async () => {
  const { connection, sockets, close } = await silentServer(5_000);
  await Promise.all([connection.connect(), connection.connect(), connection.connect()]);
  await connection.connect();
  await sleep(200);
  expect(sockets).toHaveLength(1);
  await connection.disconnect();
  await Promise.all([connection.connect(), connection.connect()]);
  await sleep(200);
  expect(sockets).toHaveLength(2);
  await connection.disconnect();
  close();
});

it("drops a partial response of a broken connection before the next connection's first response", async () => {
  const { connection, sockets, close } = await silentServer(5_000);
  const received = (): unknown => {
    const { chunks, bytesBuffered, bytesNeeded } = connection as unknown as Record<string, unknown>;
    return { chunks, bytesBuffered, bytesNeeded };
  };
  const untouched = received();
  await connection.connect();
  await sleep(50);
  // An answer of 100 bytes, of which ten come.
  sockets[0]?.write(Buffer.concat([Buffer.from([0, 0, 0, 100]), Buffer.alloc(10)]));
  await sleep(50);
  expect(received()).not.toEqual(untouched);
  sockets[0]?.destroy();
  await sleep(50);
  expect(connection.isConnected()).toBe(false);
  await connection.connect();
  expect(received()).toEqual(untouched);
  await connection.disconnect();
  close();
});

it('closes a connection on which a response times out, with all requests that wait on it, and opens another', async () => {
  const { connection, sockets, close } = await silentServer(200);
  const require = createRequire(import.meta.url);
  const { protocol } = require('kafkajs/src/protocol/requests/apiVersions') as {
    protocol: (of: { version: number }) => () => object;
  };
  const request = (): Promise<unknown> =>
    connection
      .send({ ...protocol({ version: 2 })(), logResponseError: false })
      .catch((error: unknown) => error);
  await connection.connect();
  const first = request();
  await sleep(100);
  const second = request();
  for (const error of await Promise.all([first, second]))
    expect(error).toMatchObject({
      name: 'KafkaJSConnectionError',
      message: expect.stringContaining('timed out'),
    });
  await sleep(50);
  expect([
    connection.isConnected(),
    sockets.map(({ readableEnded, destroyed }) => readableEnded || destroyed),
  ]).toEqual([false, [true]]);
  await connection.connect();
  await sleep(50);
  expect(sockets).toHaveLength(2);
  await connection.disconnect();
  close();
});
