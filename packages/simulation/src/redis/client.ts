import { RedisError } from '@residency/adapter-redis';
import { request } from '../network.ts';
import { here } from '../process.ts';
import type { SimRedis } from './values.ts';

/**
 * What `adapter-redis/src/redis-connection.ts` exports, over the simulated Redis of the process
 * that asks.
 */
export class RedisConnection {
  // oxlint-disable-next-line typescript/class-methods-use-this
  async mget(keys: readonly string[]): Promise<(string | null)[]> {
    return await ask(`mget of ${keys.length}`, ({ values }) =>
      keys.map((key) => values.get(key) ?? null),
    );
  }

  /**
   * The projector's one script: sets all keys if the first holds what is expected, else says what
   * it holds.
   */
  async eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!SCRIPT.every((part) => script.includes(part)))
      throw new Error(
        'Expected the script of redis-consent-projection.ts that the simulated Redis knows, found another: teach it.',
      );
    return await ask('apply', ({ values }) => {
      const found = values.get(keys[0] ?? '') ?? '';
      if (found !== args[0]) return found;
      for (const [index, key] of keys.entries()) values.set(key, args[index + 1] ?? '');
      return null;
    });
  }

  async info(): Promise<string> {
    return await ask('info', () => 'maxmemory_policy:noeviction\r\n');
  }

  async close(): Promise<void> {}
}

const SCRIPT = [
  "redis.call('GET', KEYS[1]) or ''",
  'if found ~= ARGV[1] then return found end',
  "redis.call('MSET', unpack(values))",
];

async function ask<T>(what: string, serve: (redis: SimRedis) => T): Promise<T> {
  const { redis } = here().world;
  return await request<T>({
    service: 'redis',
    what,
    silence: () =>
      new RedisError({
        code: 'REDIS_UNREACHABLE',
        message: 'Expected an answer from Redis, found none.',
        remedy: 'retry',
      }),
    serve: (answer) => {
      answer.ok(serve(redis));
    },
  });
}
