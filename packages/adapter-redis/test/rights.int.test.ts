import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStack } from '../../../test/stack/index.ts';
import type { OwnStack } from '../../../test/stack/index.ts';
import { RedisConsentProjection } from '../src/redis-consent-projection.ts';
import { RedisConsentView } from '../src/redis-consent-view.ts';
import type { RedisSettings } from '../src/redis-settings.ts';
import { RespProxy } from './resp-proxy.ts';
import { codeOf, ownRedis } from './some-redis.ts';

const PASSWORD = 'CANARY-4711';
// As the README says.
const USERS = [
  'user default off',
  `user router on >${PASSWORD} ~{residency}:* -@all +mget +info`,
  `user projector on >${PASSWORD} ~{residency}:* -@all +mget +eval +get +mset +info`,
  `user stranger on >${PASSWORD} ~other:* -@all +mget`,
];

let stack: OwnStack;
beforeAll(async () => {
  stack = await openStack({ redis: { users: USERS } });
});
afterAll(async () => {
  await stack.close();
});

/** Calls `use` with a view and a projection for `settings`, and closes them. */
async function as<T>(
  settings: Partial<RedisSettings>,
  use: (sides: { view: RedisConsentView; projection: RedisConsentProjection }) => Promise<T>,
): Promise<T> {
  const all = {
    url: stack.redis.url,
    keyPrefix: 'residency',
    log: 'log-1',
    password: PASSWORD,
    ...settings,
  };
  const sides = { view: new RedisConsentView(all), projection: new RedisConsentProjection(all) };
  try {
    return await use(sides);
  } finally {
    await sides.view.close();
    await sides.projection.close();
  }
}

const first = {
  expected: undefined,
  to: { next: 1n, watermark: 10, halted: false },
  histories: new Map([['consent-0001', [{ from: 1, purposes: ['p'], termsVersion: '1' }]]]),
};

describe('with the rights the README names', () => {
  it('the projector projects and the router reads, and not the other way round', async () => {
    await as({ username: 'projector' }, async ({ projection }) => {
      await projection.requireNoEviction();
      expect(await projection.apply(first)).toMatchObject({ applied: true });
      expect((await projection.histories(['consent-0001'])).histories.size).toBe(1);
    });
    await as({ username: 'router' }, async ({ view, projection }) => {
      await view.requireNoEviction();
      expect((await view.read(['consent-0001'])).histories.size).toBe(1);
      expect(await view.clock()).toBeTypeOf('number');
      await expect(projection.apply(first)).rejects.toMatchObject({
        code: 'REDIS_FORBIDDEN',
        remedy: 'stop',
      });
    });
  });

  it('a user without them gets an error with remedy stop', async () => {
    await as({ username: 'stranger' }, async ({ view }) => {
      await expect(view.read(['consent-0001'])).rejects.toMatchObject({
        code: 'REDIS_FORBIDDEN',
        remedy: 'stop',
      });
      await expect(view.requireNoEviction()).rejects.toMatchObject({
        code: 'REDIS_FORBIDDEN',
        remedy: 'stop',
      });
    });
  });
});

describe('a wrong or missing password', () => {
  it.each([
    ['a wrong password', { username: 'router', password: `${PASSWORD}-wrong` }],
    ['an unknown user', { username: 'nobody' }],
    ['a user that is off', { username: 'default' }],
  ])('%s gets remedy stop, at once and later, without being repeated', async (_, settings) => {
    await as(settings, async ({ view }) => {
      for (let round = 0; round < 3; round += 1) {
        const error: unknown = await view.read(['consent-0001']).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'REDIS_AUTHENTICATION', remedy: 'stop' });
        expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('CANARY');
      }
    });
  });

  it('a missing password gets remedy stop', async () => {
    await as({}, async () => {
      const bare = new RedisConsentView({
        url: stack.redis.url,
        keyPrefix: 'residency',
        log: 'log-1',
      });
      await expect(bare.read([])).rejects.toMatchObject({
        code: 'REDIS_AUTHENTICATION',
        remedy: 'stop',
      });
      await bare.close();
    });
  });

  it('user and password may stand in the URL', async () => {
    const view = new RedisConsentView({
      url: stack.redis.url.replace('redis://', `redis://router:${PASSWORD}@`),
      keyPrefix: 'empty',
      log: 'log-1',
    });
    expect(await codeOf(view.read([]))).toBe('REDIS_FORBIDDEN');
    await view.close();
  });
});

describe('requireNoEviction', () => {
  it('refuses any other policy, and names what to set', async () => {
    const evicting = await ownRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
    const view = new RedisConsentView({
      url: evicting.redis.url,
      keyPrefix: 'residency',
      log: 'log-1',
    });
    const error: unknown = await view.requireNoEviction().catch((thrown: unknown) => thrown);
    await view.close();
    expect(error).toMatchObject({ code: 'EVICTION_POLICY', remedy: 'stop' });
    expect(String(error)).toMatch(
      /noeviction.*allkeys-lru.*CONFIG SET maxmemory-policy noeviction/,
    );
  });

  it('is asked again a minute later, and of each new connection, before anybody decides by a view', async () => {
    const turned = await ownRedis();
    const settings = { url: turned.redis.url, keyPrefix: 'residency', log: 'log-1' };
    let clock = 0;
    const [view, projection] = [
      new RedisConsentView(settings, () => clock),
      new RedisConsentProjection(settings, () => clock),
    ];
    expect(await projection.apply(first)).toMatchObject({ applied: true });
    await view.read([]);
    const admin = new Redis(turned.redis.url);
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    clock = 60_000;
    expect([await codeOf(view.read([])), await codeOf(projection.apply(first))]).toEqual([
      'EVICTION_POLICY',
      'EVICTION_POLICY',
    ]);
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await view.read([]);
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    // Connections break, as in a failover; the clock stands still.
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(() => codeOf(view.read([]))).toBe('EVICTION_POLICY');
    admin.disconnect();
    await Promise.all([view.close(), projection.close()]);
  });

  it('refuses a Redis that does not say', async () => {
    const silent = await ownRedis();
    const proxy = new RespProxy(silent.redis.url);
    await proxy.listen();
    proxy.fate = () => ({ answer: '$20\r\n# Memory\r\nused:1\r\n\r\n\r\n' });
    const view = new RedisConsentView({ url: proxy.url, keyPrefix: 'residency', log: 'log-1' });
    expect(await codeOf(view.requireNoEviction())).toBe('EVICTION_POLICY');
    await view.close();
    await proxy.close();
  });
});

describe('a full Redis', () => {
  it('keeps what it has, changes nothing, and is tried again', async () => {
    const full = await ownRedis({ settings: { maxmemory: '1' } });
    const [view, projection] = [
      new RedisConsentView({ url: full.redis.url, keyPrefix: 'residency', log: 'log-1' }),
      new RedisConsentProjection({ url: full.redis.url, keyPrefix: 'residency', log: 'log-1' }),
    ];
    await expect(projection.apply(first)).rejects.toMatchObject({
      code: 'REDIS_FULL',
      remedy: 'retry',
    });
    expect(await projection.position()).toBeUndefined();
    await Promise.all([view.close(), projection.close()]);
  });
});

describe('TLS', () => {
  it.each([
    ['rediss://', {}],
    ['redis://', { tls: {} }],
  ])('is spoken from the first byte for %s with %o', async (scheme, settings) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const view = new RedisConsentView({
      url: `${scheme}127.0.0.1:${(server.address() as AddressInfo).port}`,
      keyPrefix: 'residency',
      log: 'log-1',
      ...settings,
    });
    const connected = once(server, 'connection');
    const reading = codeOf(view.read([]));
    const [socket] = await connected;
    const [bytes] = await once(socket, 'data');
    expect(bytes[0]).toBe(0x16);
    socket.destroy();
    expect(await reading).toBe('REDIS_UNREACHABLE');
    await view.close();
    server.close();
  });
});
