import { request } from 'node:http';
import { CodedError } from '@residency/coded-error';
import { MemoryLedgerStore } from '@residency/testkit';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ledgerRoutes } from '../src/index.ts';

let app: FastifyInstance;
let store: MemoryLedgerStore;
let url: string;
beforeEach(async () => {
  store = new MemoryLedgerStore();
  for (const path of [
    '0/tile/0/000',
    '0/tile/entries/x001/234.p/7',
    '12/tile/0/000.p/3',
    '0/next/000',
    '0/secret',
    'residency.custody.zurich/0/tile/0/000.p/3',
    'residency.custody.zurich/0/g2/tile/0/000.p/4',
    'residency.custody.zurich/0/next/000',
    'residency.custody.zurich/0/first',
  ])
    await store.create(path, Buffer.from(path));
  await store.publish('0/checkpoint', Buffer.from('a checkpoint\n'), undefined);
  app = fastify();
  ledgerRoutes(app, store);
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

/** As it is, without a client that tidies paths. */
async function get(
  path: string,
  method = 'GET',
): Promise<{
  status: number | undefined;
  type: string | undefined;
  cache: string | undefined;
  body: string;
}> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof get>>>();
  request(`${url}/`, { path, method }, (answer) => {
    let body = '';
    answer.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    answer.on('end', () => {
      resolve({
        status: answer.statusCode,
        type: answer.headers['content-type'],
        cache: answer.headers['cache-control'],
        body,
      });
    });
  })
    .on('error', reject)
    .end();
  return await promise;
}

test('a checkpoint is text that may not be cached', async () => {
  expect(await get('/ledger/0/checkpoint')).toEqual({
    status: 200,
    type: 'text/plain; charset=utf-8',
    cache: 'no-cache',
    body: 'a checkpoint\n',
  });
  expect(await get('/ledger/0/checkpoint', 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test.each([
  '0/tile/0/000',
  '0/tile/entries/x001/234.p/7',
  '12/tile/0/000.p/3',
  'residency.custody.zurich/0/tile/0/000.p/3',
  'residency.custody.zurich/0/g2/tile/0/000.p/4',
])('%s is bytes that may be cached for ever', async (path) => {
  expect(await get(`/ledger/${path}`)).toEqual({
    status: 200,
    type: 'application/octet-stream',
    cache: 'public, max-age=31536000, immutable',
    body: path,
  });
});

test.each([
  '0',
  '0/',
  '0/tile',
  '0/tile/0/001',
  '1/checkpoint',
  '0/next/000',
  '0/secret',
  '0/checkpoint/',
  '0/Checkpoint',
  '00/checkpoint',
  '-1/checkpoint',
  '0x0/checkpoint',
  '0/tile/0/0',
  '0/tile/0/x000/000',
  '0/tile/64/000',
  '0/tile/0/000.p/0',
  '0/tile/0/000.p/256',
  '0/tile/0/000/',
  '0/../0/secret',
  '0/tile/../secret',
  '0/tile/..%2fsecret',
  '0/%2e%2e/0/secret',
  '..%2f0/secret',
  '0%2fsecret/checkpoint',
  '%2e%2e/checkpoint',
  '0/tile/0/000%00',
  '0//checkpoint',
  '99999999999999999999/checkpoint',
  '../metrics',
])('/ledger/%s is a 404 that may not be cached', async (path) => {
  expect(await get(`/ledger/${path}`)).toMatchObject({ status: 404 });
  expect((await get(`/ledger/${path}`)).cache ?? 'no-store').toBe('no-store');
});

test.each([
  'residency.custody.zurich/0/next/000',
  'residency.custody.zurich/0/first',
  'residency.custody.zurich/checkpoint',
  'residency.custody.zurich/1/checkpoint',
  'residency.custody.zurich/../0/checkpoint',
  'residency.custody.zurich/%2e%2e/0/checkpoint',
  'residency.custody.ZURICH/0/checkpoint',
  'residency.custody./0/checkpoint',
  'threat.consents/0/checkpoint',
])('%s is not served', async (path) => {
  expect(await get(`/ledger/${path}`)).toMatchObject({ status: 404, cache: 'no-store' });
});

test('nothing can be written there', async () => {
  for (const method of ['PUT', 'POST', 'DELETE'])
    expect(await get('/ledger/0/checkpoint', method)).toMatchObject({ status: 404 });
  expect((await get('/ledger/0/checkpoint')).body).toBe('a checkpoint\n');
});

test('an unreadable file is a 503 without the reason, and may not be cached', async () => {
  const broken = fastify();
  ledgerRoutes(broken, {
    read: () =>
      Promise.reject(
        new CodedError({ code: 'SITE_UNREACHABLE', message: 'canary0canary', remedy: 'retry' }),
      ),
  });
  const answer = await broken.inject({ method: 'GET', url: '/ledger/0/checkpoint' });
  expect([
    answer.statusCode,
    answer.headers['cache-control'],
    answer.body.includes('canary'),
  ]).toEqual([503, 'no-store', false]);
  await broken.close();
});

test('later ledgers and key changes are served too, and no other file', async () => {
  for (const path of ['0/g2/tile/0/000', '0/keys/0a1b2c3d', '0/g2/first'])
    await store.create(path, Buffer.from(path));
  await store.publish('0/g2/checkpoint', Buffer.from('a later one\n'), undefined);
  expect(await get('/ledger/0/g2/checkpoint')).toMatchObject({
    status: 200,
    cache: 'no-cache',
    body: 'a later one\n',
  });
  for (const path of ['0/g2/tile/0/000', '0/keys/0a1b2c3d'])
    expect(await get(`/ledger/${path}`)).toMatchObject({
      status: 200,
      cache: 'public, max-age=31536000, immutable',
      body: path,
    });
  for (const path of [
    '0/g2/first',
    '0/g1/checkpoint',
    '0/g2/g3/checkpoint',
    '0/keys/0A1B2C3D',
    '0/keys/',
  ])
    expect(await get(`/ledger/${path}`)).toMatchObject({ status: 404 });
});
