import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createBucket, sharedRedis, sharedStack, signedRequest } from './index.ts';
import { liveBrokers } from './live-brokers.ts';

test('every test of a run gets the same servers, and they answer', async () => {
  const [stack, again] = [await sharedStack(), await sharedStack()];
  expect(again).toEqual(stack);
  expect(await liveBrokers(Number(stack.kafka.brokers[0]?.split(':')[1]))).toEqual([1]);
  expect(await sharedRedis()).toEqual(stack.redis);
  const socket = connect({ port: Number(new URL(stack.redis.url).port), host: '127.0.0.1' });
  await new Promise((resolve) => {
    socket.once('connect', resolve);
  });
  socket.destroy();
});

test('a bucket of a test site accepts one object under a key once, with the right secret', async () => {
  const site = (await sharedStack()).sites['mow-1'];
  const put = {
    method: 'PUT',
    path: `/${await createBucket(site)}/a/b%20c?x-id=PutObject`,
    headers: { 'if-none-match': '*' },
    body: 'once',
    ...site,
  };
  expect((await signedRequest(put)).status).toBe(200);
  expect((await signedRequest(put)).status).toBe(412);
  expect((await signedRequest({ ...put, headers: {}, secretAccessKey: 'wrong' })).status).toBe(403);
  expect(
    (await signedRequest({ ...put, method: 'GET', headers: {}, body: '' })).body.toString(),
  ).toBe('once');
});
