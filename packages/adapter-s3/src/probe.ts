import type { Pause } from './create-only.ts';
import type { NewObject, PutResult, ReplaceResult, ReplacingCalls, S3Calls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';
import { failure } from './site-failure.ts';

const ATTEMPTS = 5;
const PAUSE_MS = 50;
/** Nothing has it: it is the MD5 of no bytes, with a part's number that no upload has. */
const NO_ETAG = '"d41d8cd98f00b204e9800998ecf8427e-9999"';

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
  return (await decided(site, object.key, pause, () => calls.putIfAbsent(object))).put;
}

/** `true`: the store replaces an object although the condition (`If-Match`) does not hold. */
export async function ignoresIfMatch(
  calls: ReplacingCalls,
  site: string,
  object: NewObject,
  pause: Pause,
): Promise<boolean> {
  const write = () => calls.replace(object, NO_ETAG);
  return (await decided(site, object.key, pause, write)).put === 'replaced';
}

/**
 * Repeats a conditional write a few times, until the store has carried it out or refused it. It may
 * refuse because of an earlier attempt whose answer was unclear.
 */
export async function decided<Result extends PutResult | ReplaceResult>(
  site: string,
  key: string,
  pause: Pause,
  write: () => Promise<Result>,
): Promise<Exclude<Result, { readonly put: 'conflict' | 'unclear' }>> {
  let isUndecided = false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(attempt * PAUSE_MS);
    const result = await write();
    if (isDecided(result)) return result;
    isUndecided = result.put === 'conflict';
  }
  if (!isUndecided) throw failure(site, 'SITE_FAILED', "answers that are not an object store's");
  throw new S3Error({
    code: 'SITE_CONTENDED',
    message: `Expected site ${site} to write ${key} or to refuse it, found it undecided in ${ATTEMPTS} attempts. See whether something else writes or deletes in its bucket; what waits is tried again.`,
    remedy: 'retry',
  });
}

function isDecided<Result extends PutResult | ReplaceResult>(
  result: Result,
): result is Exclude<Result, { readonly put: 'conflict' | 'unclear' }> {
  return result.put !== 'conflict' && result.put !== 'unclear';
}
