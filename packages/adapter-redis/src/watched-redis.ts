import { MarkerWatch } from '@residency/contracts';
import { requireNoEviction } from './require-no-eviction.ts';
import type { RedisClient } from './redis-client.ts';
import { RedisConnection } from './redis-connection.ts';
import type { RedisSettings } from './redis-settings.ts';

/**
 * A connection, with a check of the server's eviction policy before the first use of each
 * connection and once a minute.
 */
export interface WatchedRedis {
  readonly client: RedisClient;
  /** Throws `EVICTION_POLICY`, and the client's errors. */
  requireNoEviction(): Promise<void>;
}

/** Throws `REDIS_SETTINGS`. `now`: a monotonic clock, milliseconds. */
export function watchedRedis(settings: RedisSettings, now: () => number): WatchedRedis {
  const client = new RedisConnection(settings, () => {
    watch.doubt();
  });
  const watch: MarkerWatch = new MarkerWatch(() => requireNoEviction(client), { now });
  return { client, requireNoEviction: () => watch.fresh() };
}
