import { eventually } from '@residency/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { exchange } from './exchange.ts';
import { createBucket, openStack, signedRequest } from './index.ts';
import type { OwnStack } from './index.ts';
import { liveBrokers } from './live-brokers.ts';

let stack: OwnStack;
beforeAll(async () => {
  stack = await openStack({ brokers: 3, sites: true, redis: true });
});
afterAll(() => stack.close());

const brokerPorts = (): number[] =>
  stack.kafka.brokers.map((broker) => Number(broker.split(':')[1]));
const redisPort = (of = stack): number => Number(new URL(of.redis.url).port);

/** One line of commands, one line of answer. */
async function redis(commands: string, port = redisPort(), timeoutMs = 60_000): Promise<string> {
  return (
    await exchange(
      port,
      Buffer.from(`${commands}\r\n`),
      (bytes) => bytes.toString().endsWith('\r\n'),
      timeoutMs,
    )
  )
    .toString()
    .trim();
}

test('a killed Redis comes back on its port with its data', async () => {
  expect(await redis('SET kept yes')).toBe('+OK');
  await stack.servers.redis.kill();
  await expect(redis('PING')).rejects.toThrow('ECONNREFUSED');
  await stack.servers.redis.start();
  expect(await redis('GET kept')).toBe('$3\r\nyes');
});

test('a frozen server keeps its connections waiting until it is resumed', async () => {
  stack.servers.redis.freeze();
  // The signal takes a moment to arrive.
  const unanswered = await eventually(() =>
    redis('PING', redisPort(), 300).then(() => undefined, String),
  );
  expect(unanswered).toContain('none in time');
  stack.servers.redis.thaw();
  expect(await redis('PING')).toBe('+PONG');
});

test('a Redis can be replaced by an older copy of itself', async () => {
  await redis('SET age old');
  const older = await stack.servers.redis.copyData();
  await redis('SET age new');
  await stack.servers.redis.replaceData(older);
  expect(await redis('GET age')).toBe('$3\r\nold');
});

test('a Redis with users refuses all others', async () => {
  const other = await openStack({
    redis: { users: ['user default off', 'user router on >secret ~* +@all'] },
  });
  onTestFinished(() => other.close());
  expect(await redis('PING', redisPort(other))).toMatch(/^-NOAUTH/);
  const answers = await exchange(
    redisPort(other),
    Buffer.from('AUTH router secret\r\nPING\r\n'),
    (bytes) => bytes.includes('PONG'),
  );
  expect(answers.toString()).toBe('+OK\r\n+PONG\r\n');
});

test('a site that was stopped comes back with its objects, and the other sites keep running', async () => {
  const { 'zrh-1': stopped, 'zrh-2': neighbour } = stack.sites;
  const path = `/${await createBucket(stopped)}/object`;
  await signedRequest({ method: 'PUT', path, body: 'kept', ...stopped });
  await stack.servers.sites['zrh-1'].stop();
  await expect(signedRequest({ method: 'GET', path, ...stopped })).rejects.toThrow('ECONNREFUSED');
  expect((await signedRequest({ method: 'GET', path: '/', ...neighbour })).status).toBe(200);
  await stack.servers.sites['zrh-1'].start();
  expect((await signedRequest({ method: 'GET', path, ...stopped })).body.toString()).toBe('kept');
});

test('one of three brokers can stop, die and come back', async () => {
  const [first = 0, second = 0] = brokerPorts();
  const third = stack.servers.brokers[2];
  const alive = async (port: number): Promise<number[]> =>
    (await liveBrokers(port)).toSorted((a, b) => a - b);
  await expect.poll(() => alive(first)).toEqual([1, 2, 3]);
  await third?.stop();
  await expect.poll(() => alive(second)).toEqual([1, 2]);
  await third?.start();
  await expect.poll(() => alive(first)).toEqual([1, 2, 3]);
  await third?.kill();
  await expect.poll(() => alive(second)).toEqual([1, 2]);
  await third?.start();
  await expect.poll(() => alive(first)).toEqual([1, 2, 3]);
});

test('a server that does not start reports why', async () => {
  await expect(openStack({ redis: { settings: { 'no-such-setting': '1' } } })).rejects.toThrow(
    /no-such-setting/,
  );
});

test('a server that was not requested cannot be used', async () => {
  const other = await openStack({ redis: true });
  onTestFinished(() => other.close());
  expect(() => other.kafka).toThrow('opened with brokers');
  expect(() => other.servers.sites).toThrow('opened with sites');
});
