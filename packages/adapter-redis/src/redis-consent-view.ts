import type { ConsentReading, ConsentView } from '@residency/routing';
import { consentKeys } from './consent-keys.ts';
import { demandNoEviction } from './demand-no-eviction.ts';
import type { ProjectedPosition } from './projected-position.ts';
import { readProjected } from './read-projected.ts';
import type { Projected, ReadDeps } from './read-projected.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisError } from './redis-error.ts';
import type { RedisSettings } from './redis-settings.ts';

export type ViewPosition = Pick<ProjectedPosition, 'watermark' | 'halted'>;

/** Consents as the projector left them in Redis. Reads only; behind by what the projector is behind, and its watermark says by how much. */
export class RedisConsentView implements ConsentView {
  readonly #deps: ReadDeps;

  /** Throws `REDIS_SETTINGS`. Connects at the first use, and anew by itself. */
  constructor(settings: RedisSettings) {
    this.#deps = {
      client: new RedisConnection(settings),
      keys: consentKeys(settings.keyPrefix),
      log: settings.log,
    };
  }

  /** One MGET: position and states move in one script, so what it reads is of one moment, and one command needs no more rights than reading. */
  async read(consentIds: readonly string[]): Promise<ConsentReading> {
    const { position, histories } = await this.#projected(consentIds);
    if (position.halted) throw halted();
    return { watermark: position.watermark, histories };
  }

  /** How far it is, for whoever watches it: also of a view that is halted, by which nobody may decide. Else throws what `read` throws. */
  async position(): Promise<ViewPosition> {
    const {
      position: { watermark, halted: isHalted },
    } = await this.#projected([]);
    return { watermark, halted: isHalted };
  }

  /** To be called at the start; throws `EVICTION_POLICY`. */
  async demandNoEviction(): Promise<void> {
    await demandNoEviction(this.#deps.client);
  }

  /** Redis's own clock, milliseconds; `undefined`: it does not say. Asked of INFO, which this side may ask anyway, where TIME would be one more right. */
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
      'Expected a consent view in Redis, found none: the consent projector has not run yet, or Redis was emptied. Routing waits; if it goes on, start the projector and compare its key prefix with this one.',
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
