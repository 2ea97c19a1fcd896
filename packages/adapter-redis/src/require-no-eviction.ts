import type { RedisClient } from './redis-client.ts';
import { RedisError } from './redis-error.ts';

/**
 * Throws `EVICTION_POLICY` unless Redis never evicts keys: an evicted history would look like one
 * that never existed. Uses INFO, because managed services may forbid CONFIG.
 */
export async function requireNoEviction(client: RedisClient): Promise<void> {
  const [, policy] =
    /^maxmemory_policy:([a-z-]{1,32})\r?$/m.exec(await client.info('memory')) ?? [];
  if (policy === 'noeviction') return;
  throw new RedisError({
    code: 'EVICTION_POLICY',
    message: `Expected maxmemory-policy noeviction, found ${policy ?? 'none in INFO memory'}. Set it (redis.conf, CONFIG SET maxmemory-policy noeviction, or the service's parameter group). If it was otherwise while consents were in Redis, delete its keys too: some may be gone, and the projector writes them again. Then start again.`,
    remedy: 'stop',
  });
}
