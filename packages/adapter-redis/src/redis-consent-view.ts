import type { ConsentReading, ConsentView } from '@residency/routing';
import { consentKeys } from './consent-keys.ts';
import { demandNoEviction } from './demand-no-eviction.ts';
import { readProjected } from './read-projected.ts';
import type { ReadDeps } from './read-projected.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisError } from './redis-error.ts';
import type { RedisSettings } from './redis-settings.ts';

/** Consents as the projector left them in Redis. Reads only; behind by what the projector is behind, and its watermark says by how much. */
export class RedisConsentView implements ConsentView {
  readonly #deps: ReadDeps;

  /** Throws `REDIS_SETTINGS`. Connects at the first use, and anew by itself. */
  constructor(settings: RedisSettings) {
    this.#deps = { client: new RedisConnection(settings), keys: consentKeys(settings.keyPrefix), log: settings.log };
  }

  /** One MGET: position and states move in one script, so what it reads is of one moment, and one command needs no more rights than reading. */
  async read(consentIds: readonly string[]): Promise<ConsentReading> {
    const { position, histories } = await readProjected(this.#deps, consentIds);
    if (position === undefined) throw empty();
    if (position.halted) throw halted();
    return { watermark: position.watermark, histories };
  }

  /** To be called at the start; throws `EVICTION_POLICY`. */
  async demandNoEviction(): Promise<void> {
    await demandNoEviction(this.#deps.client);
  }

  async close(): Promise<void> {
    await this.#deps.client.close();
  }
}

function empty(): RedisError {
  return new RedisError({
    code: 'CONSENT_VIEW_EMPTY',
    message: 'Expected a consent view in Redis, found none: the consent projector has not run yet, or Redis was emptied. Routing waits; if it goes on, start the projector and compare its key prefix with this one.',
    remedy: 'retry',
  });
}

function halted(): RedisError {
  return new RedisError({
    code: 'CONSENT_VIEW_HALTED',
    message: 'Expected a consent view that is complete up to its watermark, found it halted: the consent log\'s append time went back. Routing waits; do what the projector\'s error says.',
    remedy: 'retry',
  });
}
