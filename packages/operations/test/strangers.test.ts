import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { startOperations } from '@residency/operations';
import { RawConnection } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OperationsServer } from '@residency/operations';
import { spareRender } from '../src/spare-render.ts';

let server: OperationsServer;
let renders: number;

beforeEach(async () => {
  renders = 0;
  server = await startOperations({
    host: '127.0.0.1',
    port: 0,
    name: 'auditing',
    live: () => true,
    ready: () => ({ ready: true, checks: [] }),
    metrics: async () => ({
      contentType: 'text/plain; version=0.0.4',
      body: `renders ${(renders += 1)}\n`,
    }),
    paths: { 'GET /ledger/{partition}/checkpoint': 'a checkpoint' },
  });
});
afterEach(async () => {
  await server.close();
});

function raw(text = ''): RawConnection {
  return new RawConnection(Number(new URL(server.url).port), text);
}

const alive = async (): Promise<number> => (await fetch(`${server.url}/livez`)).status;

describe('strangers at the port of probes and metrics', () => {
  test('do not keep a probe from its answer by connections that stay silent: the longest idle makes way', async () => {
    const silent = Array.from({ length: 300 }, () => raw());
    await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
    expect(await alive()).toBe(200);
    await expect
      .poll(() => silent.filter(({ socket }) => socket.closed).length)
      .toBeGreaterThanOrEqual(300 - 256);
    expect(silent.at(-1)?.socket.closed).toBe(false);
  });

  test('do not keep a probe from its answer by headers that never end', async () => {
    const slow = Array.from({ length: 300 }, () => raw('GET /livez HTTP/1.1\r\nx: '));
    await Promise.all(slow.map(({ socket }) => once(socket, 'connect')));
    expect(await alive()).toBe(200);
  });

  test('have 16 requests on their way on one connection; one more ends it, however many were written at once', async () => {
    const patient = raw('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(16));
    await expect.poll(() => patient.received.match(/HTTP\/1\.1 200 /g)?.length).toBe(16);
    const greedy = raw('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5_000));
    await expect.poll(() => greedy.socket.closed).toBe(true);
    expect(renders).toBeLessThanOrEqual(17);
    expect(await alive()).toBe(200);
  });

  test.each([
    ['gzip before chunked', '1.1', 'gzip, chunked', 501],
    ['gzip in a field of its own', '1.1', 'gzip\r\nTransfer-Encoding: chunked', 501],
    ['in HTTP/1.0, which has none', '1.0', 'chunked', 400],
    ['chunked', '1.1', 'Chunked', 200],
  ])(
    'get %s of HTTP/%s as transfer coding %s answered with %i',
    async (_, version, coding, status) => {
      const connection = raw(
        `GET /livez HTTP/${version}\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
      );
      await expect.poll(() => connection.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      if (status !== 200) await expect.poll(() => connection.socket.closed).toBe(true);
    },
  );

  test('are told at / what there is, and elsewhere nothing of what they asked for', async () => {
    expect(await (await fetch(`${server.url}/`)).json()).toEqual({
      work: 'auditing',
      paths: {
        'GET /ledger/{partition}/checkpoint': 'a checkpoint',
        'GET /livez': 'the process works',
        'GET /readyz': 'the process does its work, or what it waits for',
        'GET /metrics': 'for Prometheus',
      },
    });
    const missing = await fetch(`${server.url}/canary-path`);
    expect([missing.status, (await missing.text()).includes('canary')]).toEqual([404, false]);
  });
});

test('a rendering is handed out again for four times as long as it took, also while it is made', async () => {
  let clock = 0;
  let made = 0;
  const render = spareRender(
    async () => {
      made += 1;
      await delay(1);
      clock += 10;
      return { contentType: 'text/plain', body: String(made) };
    },
    () => clock,
  );
  expect((await Promise.all([render(), render(), render()])).map(({ body }) => body)).toEqual([
    '1',
    '1',
    '1',
  ]);
  clock += 39;
  expect((await render()).body).toBe('1');
  clock += 1;
  expect((await render()).body).toBe('2');
});
