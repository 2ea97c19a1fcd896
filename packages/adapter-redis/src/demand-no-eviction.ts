import type { RedisClient } from './redis-client.ts';
import { RedisError } from './redis-error.ts';

/**
 * Throws `EVICTION_POLICY` unless Redis keeps what it was given: an evicted history would read like one that never was.
 * INFO says it even where CONFIG is forbidden, as managed services do.
 */
export async function demandNoEviction(client: RedisClient): Promise<void> {
  const [, policy] =
    /^maxmemory_policy:([a-z-]{1,32})\r?$/m.exec(await client.info('memory')) ?? [];
  if (policy === 'noeviction') return;
  throw new RedisError({
    code: 'EVICTION_POLICY',
    message: `Expected maxmemory-policy noeviction, found ${policy ?? 'none in INFO memory'}. Set it (redis.conf, CONFIG SET maxmemory-policy noeviction, or the service's parameter group) and start again.`,
    remedy: 'stop',
  });
}
