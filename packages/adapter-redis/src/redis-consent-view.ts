import type { ConsentReading, ConsentView } from '@residency/routing';
import { consentKeys } from './consent-keys.ts';
import { requireNoEviction } from './require-no-eviction.ts';
import type { ProjectedPosition } from './projected-position.ts';
import { readProjected } from './read-projected.ts';
import type { Projected, ReadDeps } from './read-projected.ts';
import { RedisError } from './redis-error.ts';
import type { RedisSettings } from './redis-settings.ts';
import { watchedRedis } from './watched-redis.ts';
import type { WatchedRedis } from './watched-redis.ts';

export type ViewPosition = Pick<ProjectedPosition, 'watermark' | 'halted'>;

/**
 * Consents as the projector wrote them to Redis, read-only. The view lags behind the log as far as
 * the projector does; its watermark shows how far.
 */
export class RedisConsentView implements ConsentView {
  readonly #deps: ReadDeps;
  readonly #redis: WatchedRedis;

  /**
   * Throws `REDIS_SETTINGS`. Connects at the first use, and reconnects automatically. `now`: a
   * monotonic clock, milliseconds.
   */
  constructor(settings: RedisSettings, now: () => number = () => performance.now()) {
    this.#redis = watchedRedis(settings, now);
    this.#deps = {
      client: this.#redis.client,
      keys: consentKeys(settings.keyPrefix),
      log: settings.log,
    };
  }

  /**
   * One MGET. Position and states move in one script, so the reading is consistent, and it needs no
   * right to run scripts.
   */
  async read(consentIds: readonly string[]): Promise<ConsentReading> {
    // An evicted history would look like one that never existed.
    await this.#redis.requireNoEviction();
    const { position, histories } = await this.#projected(consentIds);
    if (position.halted) throw halted();
    return { watermark: position.watermark, histories };
  }

  /**
   * The view's position, for monitoring. Also returned for a halted view, on which no decision may
   * be based. Otherwise throws as `read`.
   */
  async position(): Promise<ViewPosition> {
    const {
      position: { watermark, halted: isHalted },
    } = await this.#projected([]);
    return { watermark, halted: isHalted };
  }

  /** Call at the start. Throws `EVICTION_POLICY`. */
  async requireNoEviction(): Promise<void> {
    await requireNoEviction(this.#deps.client);
  }

  /**
   * Redis's own clock, milliseconds; `undefined`: unknown. Read from INFO, which routers may call
   * anyway, because TIME would need another right.
   */
  async clock(): Promise<number | undefined> {
    const [, microseconds] =
      /^server_time_usec:(\d{1,20})\r?$/m.exec(await this.#deps.client.info('server')) ?? [];
    return microseconds === undefined ? undefined : Math.floor(Number(microseconds) / 1_000);
  }

  async close(): Promise<void> {
    await this.#deps.client.close();
  }

  async #projected(
    consentIds: readonly string[],
  ): Promise<{ readonly position: ProjectedPosition; readonly histories: Projected['histories'] }> {
    const { position, histories } = await readProjected(this.#deps, consentIds);
    if (position === undefined) throw empty();
    return { position, histories };
  }
}

function empty(): RedisError {
  return new RedisError({
    code: 'CONSENT_VIEW_EMPTY',
    message:
      'Expected a consent view in Redis, found none: the consent projector has not run yet, or Redis was emptied. Routing waits; if this lasts, start the projector and compare its key prefix with this one.',
    remedy: 'retry',
  });
}

function halted(): RedisError {
  return new RedisError({
    code: 'CONSENT_VIEW_HALTED',
    message:
      "Expected a consent view that is complete up to its watermark, found it halted: the consent log's append time went back. Routing waits; do what the projector's error says.",
    remedy: 'retry',
  });
}
