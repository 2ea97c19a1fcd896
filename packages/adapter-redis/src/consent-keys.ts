import { invalid } from './redis-settings.ts';

/**
 * The version of the rules for reading consent records. A view is a function of the log and these
 * rules. If the rules change, a view of the earlier version counts as absent, and the projector
 * builds it again (docs/decisions/0017). The keys of states contain the version too: otherwise a
 * state that these rules cannot read would be found instead of none.
 */
const RULES = 2;

/** The names of a view's keys. Only this file knows them. */
export interface ConsentKeys {
  readonly position: string;
  consent(id: string): string;
}

/**
 * Throws `REDIS_SETTINGS`. The braces are Redis Cluster's hash tag: all keys of a view are on one
 * node, so that one command reads and one script changes them.
 */
export function consentKeys(keyPrefix: string): ConsentKeys {
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(keyPrefix))
    throw invalid('keyPrefix: expected 1 to 64 of A-Z a-z 0-9 . _ : -');
  const tag = `{${keyPrefix}}`;
  return { position: `${tag}:position:${RULES}`, consent: (id) => `${tag}:consent:${RULES}:${id}` };
}
