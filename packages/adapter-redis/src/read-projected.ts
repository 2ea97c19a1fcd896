import type { ConsentHistory } from '@residency/consent';
import type { ConsentKeys } from './consent-keys.ts';
import { decodeState } from './consent-state.ts';
import { decodePosition } from './projected-position.ts';
import type { ProjectedPosition } from './projected-position.ts';
import type { RedisClient } from './redis-client.ts';
import { RedisError } from './redis-error.ts';

/** A position and histories, from one moment. */
export interface Projected {
  /**
   * `undefined`: nothing was projected yet, or Redis was emptied; then there are no histories
   * either.
   */
  readonly position: ProjectedPosition | undefined;
  readonly histories: ReadonlyMap<string, ConsentHistory>;
}

export interface ReadDeps {
  readonly client: RedisClient;
  readonly keys: ConsentKeys;
  readonly log: string;
}

/**
 * The most ids of one read. One MGET of that many takes milliseconds; a router's batch has a tenth
 * of them.
 */
const MOST_IDS = 10_000;

/** Throws `CONSENT_VIEW_FOREIGN`, `CONSENT_VIEW_BROKEN`, and the client's errors. */
export async function readProjected(
  { client, keys, log }: ReadDeps,
  consentIds: readonly string[],
): Promise<Projected> {
  const ids = [...new Set(consentIds)];
  requireAtMost(MOST_IDS, ids.length);
  const [found = null, ...states] = await client.mget([
    keys.position,
    ...ids.map((id) => keys.consent(id)),
  ]);
  const position = readPosition(found, keys, log);
  if (position === undefined) return { position, histories: new Map() };
  const histories = new Map<string, ConsentHistory>();
  for (const [index, id] of ids.entries()) {
    const history = readHistory(states[index] ?? null, position, keys);
    if (history !== undefined) histories.set(id, history);
  }
  return { position, histories };
}

export function readPosition(
  text: string | null,
  keys: ConsentKeys,
  log: string,
): ProjectedPosition | undefined {
  if (text === null) return undefined;
  const position = decodePosition(text);
  if (position === undefined) throw broken(keys);
  if (position.log !== log) throw foreign(keys);
  return position;
}

export function requireAtMost(most: number, found: number): void {
  if (found <= most) return;
  throw new RedisError({
    code: 'TOO_MANY_CONSENTS',
    message: `Expected at most ${most} consent ids at once, found ${found}. Make the batches smaller.`,
    remedy: 'stop',
  });
}

function readHistory(
  text: string | null,
  position: ProjectedPosition,
  keys: ConsentKeys,
): ConsentHistory | undefined {
  if (text === null) return undefined;
  const state = decodeState(text);
  if (state === undefined) throw broken(keys);
  return state.generation === position.generation ? state.history : undefined;
}

/** Retryable: routing waits, and continues once the keys are repaired. */
function broken(keys: ConsentKeys): RedisError {
  return new RedisError({
    code: 'CONSENT_VIEW_BROKEN',
    message: `Expected the position and consent states as this release writes them, found something else under the view's prefix. If a newer release wrote it, run that; otherwise stop what else writes there and delete ${keys.position}: the projector then rebuilds the view.`,
    remedy: 'retry',
  });
}

function foreign(keys: ConsentKeys): RedisError {
  return new RedisError({
    code: 'CONSENT_VIEW_FOREIGN',
    message: `Expected a view of this deployment's consent log, found one of another log. Correct the log's name, or give this deployment a Redis or a key prefix of its own; if the log was replaced for good, delete ${keys.position} and start the projector.`,
    remedy: 'stop',
  });
}
