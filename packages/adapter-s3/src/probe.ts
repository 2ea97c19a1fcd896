import type { NewObject, S3Calls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';
import { failure } from './site-failure.ts';
import type { Pause } from './create-only.ts';

const ATTEMPTS = 5;
const PAUSE_MS = 50;

/**
 * Checks that a store honours create-only writes. Undecided and unclear answers are retried a few
 * times.
 */
export async function probe(
  calls: S3Calls,
  site: string,
  object: NewObject,
  pause: Pause,
): Promise<'created' | 'exists'> {
  let isUndecided = false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(attempt * PAUSE_MS);
    const { put } = await calls.putIfAbsent(object);
    if (put === 'created' || put === 'exists') return put;
    isUndecided = put === 'conflict';
  }
  if (!isUndecided) throw failure(site, 'SITE_FAILED', "answers that are not an object store's");
  throw new S3Error({
    code: 'SITE_CONTENDED',
    message: `Expected site ${site} to create ${object.key} or to refuse it, found it undecided in ${ATTEMPTS} attempts. See whether something else writes or deletes in its bucket; what waits is tried again.`,
    remedy: 'retry',
  });
}
