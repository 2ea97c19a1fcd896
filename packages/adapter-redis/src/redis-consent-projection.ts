import { randomBytes } from 'node:crypto';
import type { ConsentHistory } from '@residency/consent';
import { consentKeys } from './consent-keys.ts';
import { encodeState } from './consent-state.ts';
import { demandNoEviction } from './demand-no-eviction.ts';
import { encodePosition } from './projected-position.ts';
import type { ProjectedPosition } from './projected-position.ts';
import { demandAtMost, readPosition, readProjected } from './read-projected.ts';
import type { Projected, ReadDeps } from './read-projected.ts';
import { RedisConnection } from './redis-connection.ts';
import type { RedisSettings } from './redis-settings.ts';

export interface ProjectionStep {
  /** Where the projection was when the histories were made; `undefined`: nowhere yet. */
  readonly expected: ProjectedPosition | undefined;
  readonly to: Pick<ProjectedPosition, 'next' | 'watermark' | 'halted'>;
  /** Whole histories of the consents that changed. */
  readonly histories: ReadonlyMap<string, ConsentHistory>;
}

export type ProjectionAnswer =
  | { readonly applied: true; readonly position: ProjectedPosition }
  /** Nothing was changed. `found`: where the projection really is. */
  | { readonly applied: false; readonly found: ProjectedPosition | undefined };

/**
 * KEYS: position, consents. ARGV: the position expected ('' for none), then one value a key. Answers nil where it was applied,
 * else what stands in the position's place. A script is one step for everybody else, and its one MSET does all or nothing by
 * itself, so not even a script that fails half way (out of memory, read-only) could leave states without their position.
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

/** Lua's unpack ends near 8,000 values; the projector's pages are far below. */
const MOST_HISTORIES = 1_000;

/** The projector's side: position and states in Redis, moved together. */
export class RedisConsentProjection {
  readonly #deps: ReadDeps;

  /** Throws `REDIS_SETTINGS`. Connects at the first use, and anew by itself. */
  constructor(settings: RedisSettings) {
    this.#deps = {
      client: new RedisConnection(settings),
      keys: consentKeys(settings.keyPrefix),
      log: settings.log,
    };
  }

  /** Where the projection is; `undefined`: nowhere yet, or Redis was emptied. */
  async position(): Promise<ProjectedPosition | undefined> {
    return (await readProjected(this.#deps, [])).position;
  }

  /** Histories of `consentIds` and the position they are of, of one moment. */
  async histories(consentIds: readonly string[]): Promise<Projected> {
    return await readProjected(this.#deps, consentIds);
  }

  /** Moves states and position together if the position is as expected, else nothing. Where it throws with remedy `retry`, either may be the case: read the position again. */
  async apply({ expected, to, histories }: ProjectionStep): Promise<ProjectionAnswer> {
    demandAtMost(MOST_HISTORIES, histories.size);
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

  /** To be called at the start; throws `EVICTION_POLICY`. */
  async demandNoEviction(): Promise<void> {
    await demandNoEviction(this.#deps.client);
  }

  async close(): Promise<void> {
    await this.#deps.client.close();
  }
}
