import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/stack/index.ts';
import { RespProxy } from './resp-proxy.ts';
import { codeOf, ownRedis, someRedis } from './some-redis.ts';
import type { SomeRedis } from './some-redis.ts';

const ID = 'consent-0001';
const histories = new Map([
  [ID, [{ from: 1, purposes: ['threat-sample-sharing'], termsVersion: '1' }]],
]);
const first = { expected: undefined, to: { next: 1n, watermark: 10, halted: false }, histories };

let proxy: RespProxy;
let some: SomeRedis;
beforeEach(async () => {
  proxy = new RespProxy((await sharedRedis()).url);
  await proxy.listen();
  some = await someRedis({ url: proxy.url, timeouts: { connectMs: 500, commandMs: 500 } });
});
afterEach(async () => {
  await some.close();
  await proxy.close();
});

/** What `work` gives once Redis is reached again; what may be retried is, as the callers do. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  return await eventually(async () => {
    try {
      return await work();
    } catch (error) {
      if ((error as { readonly remedy?: unknown }).remedy !== 'retry') throw error;
      return undefined;
    }
  });
}

describe('a step whose connection breaks', () => {
  it("before Redis gets it, is not applied, and is not sent again behind the caller's back", async () => {
    await some.projection.position();
    proxy.fate = (command) => (command === 'EVAL' ? 'fail' : 'pass');
    expect(await codeOf(some.projection.apply(first))).toBe('REDIS_UNREACHABLE');
    proxy.fate = () => 'pass';
    expect(await retried(async () => [await some.projection.position()])).toEqual([undefined]);
    await sleep(200);
    expect(proxy.commands.filter((command) => command === 'EVAL')).toHaveLength(1);
    expect(await some.projection.apply(first)).toMatchObject({ applied: true });
  });

  it('before the answer, is applied once, as the position says', async () => {
    await some.projection.position();
    proxy.fate = (command) => (command === 'EVAL' ? 'lose' : 'pass');
    expect(await codeOf(some.projection.apply(first))).toBe('REDIS_UNREACHABLE');
    proxy.fate = () => 'pass';
    const found = await retried(async () => await some.projection.position());
    expect(found).toMatchObject(first.to);
    expect(await some.projection.apply(first)).toEqual({ applied: false, found });
    expect(proxy.commands.filter((command) => command === 'EVAL')).toHaveLength(2);
    expect((await some.view.read([ID])).histories).toEqual(histories);
  });
});

describe('a reading', () => {
  beforeEach(async () => {
    await some.projection.apply(first);
  });

  it.each(['fail', 'lose'] as const)(
    'fails, to be tried again, where its connection breaks (%s), and the next one succeeds',
    async (fate) => {
      await some.view.read([ID]);
      proxy.fate = () => fate;
      await expect(some.view.read([ID])).rejects.toMatchObject({
        code: 'REDIS_UNREACHABLE',
        remedy: 'retry',
      });
      proxy.fate = () => 'pass';
      expect((await retried(async () => await some.view.read([ID]))).histories).toEqual(histories);
    },
  );

  it.each([
    ['-LOADING Redis is loading the dataset in memory\r\n', 'REDIS_NOT_READY'],
    ["-READONLY You can't write against a read only replica.\r\n", 'REDIS_NOT_READY'],
    ['-MOVED 3999 127.0.0.1:1\r\n', 'REDIS_NOT_READY'],
    ['HTTP/1.1 400 Bad Request\r\n', 'REDIS_UNREACHABLE'],
  ])('is tried again where Redis answers %s', async (answer, code) => {
    await some.view.read([ID]);
    proxy.fate = () => ({ answer });
    await expect(some.view.read([ID])).rejects.toMatchObject({ code, remedy: 'retry' });
    proxy.fate = () => 'pass';
    expect((await retried(async () => await some.view.read([ID]))).histories).toEqual(histories);
  });

  it('while Redis cannot be reached fails instead of being queued, and recovers by itself', async () => {
    await some.view.read([ID]);
    await proxy.close();
    const codes = await Promise.all(
      Array.from({ length: 500 }, async () => await codeOf(some.view.read([ID]))),
    );
    expect(new Set(codes)).toEqual(new Set(['REDIS_UNREACHABLE']));
    proxy.commands.length = 0;
    await proxy.listen();
    expect((await retried(async () => await some.view.read([ID]))).histories).toEqual(histories);
    expect(proxy.commands.filter((command) => command === 'MGET')).toHaveLength(1);
  });

  it('many at once share the first connection', async () => {
    const readings = await Promise.all(
      Array.from({ length: 40 }, async () => await some.view.read([ID])),
    );
    expect(readings.every((reading) => reading.watermark === 10)).toBe(true);
  });

  it('after the view was closed is a defect, and keeps no connection', async () => {
    await some.view.read([ID]);
    await some.view.close();
    await expect(some.view.read([ID])).rejects.toMatchObject({
      code: 'REDIS_CLOSED',
      remedy: 'stop',
    });
    await some.projection.close();
    expect(await eventually(async () => (proxy.connections === 0 ? 'none' : undefined))).toBe(
      'none',
    );
  });
});

it('where nothing listens, the first use says so, and a later one succeeds', async () => {
  await proxy.close();
  expect(await codeOf(some.projection.position())).toBe('REDIS_UNREACHABLE');
  await proxy.listen();
  expect(await retried(async () => await some.projection.apply(first))).toMatchObject({
    applied: true,
  });
});

it('an answer that never ends is given up while it goes on', async () => {
  await some.view.read([ID]).catch(() => {});
  proxy.fate = () => 'dribble';
  expect(await codeOf(some.view.read([ID]))).toBe('REDIS_UNREACHABLE');
});

it('a connection that fell silent is given up, and another one made', async () => {
  await some.projection.apply(first);
  await some.view.read([ID]);
  proxy.fate = () => 'stall';
  expect(await codeOf(some.view.read([ID]))).toBe('REDIS_UNREACHABLE');
  proxy.fate = () => 'pass';
  expect((await retried(async () => await some.view.read([ID]))).histories).toEqual(histories);
});

it('a Redis that is silent is given up while it is, and the connection with it', async () => {
  const stack = await ownRedis();
  const own = await someRedis({
    url: stack.redis.url,
    timeouts: { connectMs: 500, commandMs: 500 },
  });
  await own.projection.apply(first);
  await own.view.read([ID]);
  stack.servers.redis.freeze();
  // The signal takes a moment to arrive.
  const found = await eventually(async () => {
    const code = await codeOf(own.view.read([ID]));
    return code === 'none' ? undefined : code;
  });
  expect(found).toBe('REDIS_UNREACHABLE');
  stack.servers.redis.thaw();
  expect((await retried(async () => await own.view.read([ID]))).histories).toEqual(histories);
  await stack.servers.redis.kill();
  expect(await codeOf(own.view.read([ID]))).toBe('REDIS_UNREACHABLE');
  await stack.servers.redis.start();
  expect((await retried(async () => await own.view.read([ID]))).histories).toEqual(histories);
  await own.close();
});
