import { invalid } from './redis-settings.ts';

/** Where a view's keys are; this file alone knows. */
export interface ConsentKeys {
  readonly position: string;
  consent(id: string): string;
}

/** Throws `REDIS_SETTINGS`. The braces are Redis Cluster's hash tag: all keys of a view are on one node, so that one command reads and one script changes them. */
export function consentKeys(keyPrefix: string): ConsentKeys {
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(keyPrefix))
    throw invalid('keyPrefix: expected 1 to 64 of A-Z a-z 0-9 . _ : -');
  const tag = `{${keyPrefix}}`;
  return { position: `${tag}:position`, consent: (id) => `${tag}:consent:${id}` };
}
