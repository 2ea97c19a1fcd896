import { randomBytes } from 'node:crypto';
import type { ConsentHistory } from '@residency/consent';
import { consentKeys } from './consent-keys.ts';
import { encodeState } from './consent-state.ts';
import { requireNoEviction } from './require-no-eviction.ts';
import { encodePosition } from './projected-position.ts';
import type { ProjectedPosition } from './projected-position.ts';
import { requireAtMost, readPosition, readProjected } from './read-projected.ts';
import type { Projected, ReadDeps } from './read-projected.ts';
import type { RedisSettings } from './redis-settings.ts';
import { watchedRedis } from './watched-redis.ts';
import type { WatchedRedis } from './watched-redis.ts';

export interface ProjectionStep {
  /** The projection's position when the histories were computed; `undefined`: none yet. */
  readonly expected: ProjectedPosition | undefined;
  readonly to: Pick<ProjectedPosition, 'topicId' | 'next' | 'watermark' | 'halted'>;
  /** The complete histories of the consents that changed. */
  readonly histories: ReadonlyMap<string, ConsentHistory>;
}

export type ProjectionAnswer =
  | { readonly applied: true; readonly position: ProjectedPosition }
  /** Nothing was changed. `found`: the projection's actual position. */
  | { readonly applied: false; readonly found: ProjectedPosition | undefined };

/**
 * KEYS: position, consents. ARGV: the expected position ('' for none), then one value for each key.
 * Returns nil if it was applied, otherwise the stored position. A script is atomic for other
 * clients. Its single MSET is all or nothing, so that a script that fails half-way (out of memory,
 * read-only) cannot leave states without their position.
 */
const APPLY = `
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return found end
local values = {}
for index, key in ipairs(KEYS) do
  values[2 * index - 1] = key
  values[2 * index] = ARGV[index + 1]
end
redis.call('MSET', unpack(values))
return nil
`;

/** Lua's unpack has a limit near 8,000 values. The projector's pages are far smaller. */
const MOST_HISTORIES = 1_000;

/** The projector's side of the view: it moves position and states together. */
export class RedisConsentProjection {
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

  /** The projection's position; `undefined`: none yet, or Redis was emptied. */
  async position(): Promise<ProjectedPosition | undefined> {
    return (await readProjected(this.#deps, [])).position;
  }

  /** The histories of `consentIds` and the position that they belong to, from one moment. */
  async histories(consentIds: readonly string[]): Promise<Projected> {
    return await readProjected(this.#deps, consentIds);
  }

  /**
   * Moves states and position together if the position is as expected; otherwise changes nothing.
   * If it throws with remedy `retry`, either may have happened: read the position again.
   */
  async apply({ expected, to, histories }: ProjectionStep): Promise<ProjectionAnswer> {
    requireAtMost(MOST_HISTORIES, histories.size);
    await this.#redis.requireNoEviction();
    const { client, keys, log } = this.#deps;
    const generation = expected?.generation ?? randomBytes(12).toString('base64url');
    const position = { log, generation, ...to };
    const states = [...histories.values()].map((history) => encodeState({ generation, history }));
    const answer = await client.eval(
      APPLY,
      [keys.position, ...[...histories.keys()].map((id) => keys.consent(id))],
      [expected === undefined ? '' : encodePosition(expected), encodePosition(position), ...states],
    );
    if (answer === null) return { applied: true, position };
    return {
      applied: false,
      found: readPosition(typeof answer === 'string' && answer !== '' ? answer : null, keys, log),
    };
  }

  /** Call at the start. Throws `EVICTION_POLICY`. */
  async requireNoEviction(): Promise<void> {
    await requireNoEviction(this.#deps.client);
  }

  async close(): Promise<void> {
    await this.#deps.client.close();
  }
}
