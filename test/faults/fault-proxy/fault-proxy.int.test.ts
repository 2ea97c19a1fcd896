import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createBucket,
  sharedRedis,
  sharedSites,
  signedHeaders,
  signedRequest,
} from '../../stack/index.ts';
import type { S3Endpoint, SignedResponse } from '../../stack/index.ts';
import { FaultProxy, http, redis } from './index.ts';
import type { HttpRequest, RedisRequest } from './index.ts';

const RESET = /ECONNRESET|hang up/;

describe('in front of an S3 server', () => {
  let proxy: FaultProxy<HttpRequest>;
  let direct: S3Endpoint;
  let path: string;
  beforeEach(async () => {
    direct = (await sharedSites())['zrh-1'];
    proxy = await FaultProxy.open(http, Number(new URL(direct.endpoint).port));
    path = `/${await createBucket(direct)}/object`;
  });
  afterEach(() => proxy.close());

  const put = (body = 'sample'): Promise<SignedResponse> =>
    signedRequest({
      method: 'PUT',
      path,
      body,
      ...direct,
      endpoint: `http://127.0.0.1:${proxy.port}`,
    });
  const stored = async (): Promise<string> => {
    const { status, body } = await signedRequest({ method: 'GET', path, ...direct });
    return status === 200 ? body.toString() : `status ${status}`;
  };

  test('without a fault it forwards everything, also large bodies', async () => {
    const large = 'x'.repeat(3_000_000);
    expect((await put(large)).status).toBe(200);
    expect(await stored()).toBe(large);
    expect(proxy.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`PUT ${path}`]);
  });

  test('a cut request never reaches the server, and the next one does', async () => {
    const fault = proxy.inject({ kind: 'cut', when: ({ method }) => method === 'PUT' });
    await expect(put()).rejects.toThrow(RESET);
    expect(await stored()).toBe('status 404');
    expect(fault.hits).toBe(1);
    expect((await put()).status).toBe(200);
  });

  test('a dropped response leaves the object written', async () => {
    const fault = proxy.inject({ kind: 'drop-answer', when: (request) => request.path === path });
    await expect(put()).rejects.toThrow(RESET);
    await fault.met;
    expect(await stored()).toBe('sample');
  });

  test('a refused connection is reset until the proxy is cleared', async () => {
    proxy.refuse();
    await expect(put()).rejects.toThrow(RESET);
    proxy.clear();
    expect((await put()).status).toBe(200);
  });

  test('a stalled request waits until it is released', async () => {
    const fault = proxy.inject({ kind: 'stall' });
    const answer = put();
    await fault.met;
    expect(await stored()).toBe('status 404');
    fault.clear();
    expect((await answer).status).toBe(200);
  });

  test('a delayed request arrives later', async () => {
    proxy.inject({ kind: 'delay', ms: 300 });
    const began = performance.now();
    await put();
    expect(performance.now() - began).toBeGreaterThan(290);
  });

  test('a late request arrives although its client has disconnected', async () => {
    const fault = proxy.inject({ kind: 'late' });
    await giveUp(proxy.port, path, direct, fault.met);
    expect(await stored()).toBe('status 404');
    fault.clear();
    await expect.poll(stored).toBe('early');
  });

  test('a stalled request whose client has disconnected never arrives', async () => {
    const fault = proxy.inject({ kind: 'stall' });
    await giveUp(proxy.port, path, direct, fault.met);
    fault.clear();
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    expect(await stored()).toBe('status 404');
  });

  test('a stalled response arrives once it is released, and its request was executed before', async () => {
    const fault = proxy.inject({ kind: 'stall-answer' });
    const answer = put();
    await fault.met;
    expect(await stored()).toBe('sample');
    fault.clear();
    expect((await answer).status).toBe(200);
  });
});

/** Sends a whole PUT and closes the connection once `met`. */
async function giveUp(
  port: number,
  path: string,
  site: S3Endpoint,
  met: Promise<void>,
): Promise<void> {
  const headers = signedHeaders(
    { method: 'PUT', path, body: 'early', ...site },
    `127.0.0.1:${port}`,
  );
  const client = connect({ port, host: '127.0.0.1' });
  client.write(
    `PUT ${path} HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\nearly`,
  );
  await met;
  const closed = new Promise((resolve) => {
    client.once('close', resolve);
  });
  client.destroy();
  await closed;
}

describe('in front of Redis', () => {
  let proxy: FaultProxy<RedisRequest>;
  let server: number;
  beforeEach(async () => {
    server = Number(new URL((await sharedRedis()).url).port);
    proxy = await FaultProxy.open(redis, server);
  });
  afterEach(() => proxy.close());

  /** Sends commands in one write. Returns everything received until the connection closed. */
  const say = (port: number, ...commands: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      let answers = '';
      const client = connect({ port, host: '127.0.0.1' }).setEncoding('utf8');
      client
        .on('data', (text: string) => {
          answers += text;
        })
        .on('error', () => {})
        .on('close', () => {
          resolve(answers);
        });
      client.write([...commands, 'QUIT'].map((command) => `${command}\r\n`).join(''));
    });

  test('of pipelined commands the named one and those after it fail', async () => {
    const key = randomUUID();
    proxy.inject({
      kind: 'cut',
      when: ({ command, args }) => command === 'APPEND' && args[1] === 'b',
    });
    await say(proxy.port, `APPEND ${key} a`, `APPEND ${key} b`, `APPEND ${key} c`);
    expect(await say(server, `GET ${key}`)).toMatch(/^\$1\r\na\r\n/);
  });

  test('a dropped response is that of the named command', async () => {
    const key = randomUUID();
    const fault = proxy.inject({ kind: 'drop-answer', when: ({ command }) => command === 'INCR' });
    expect(await say(proxy.port, `SET ${key} 1`, `INCR ${key}`)).not.toContain(':2');
    await fault.met;
    expect(await say(server, `GET ${key}`)).toMatch(/^\$1\r\n2\r\n/);
  });
});
