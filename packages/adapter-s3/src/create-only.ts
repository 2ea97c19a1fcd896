import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '@residency/coded-error';
import { defined } from '@residency/defined';
import type { FoundHead, NewObject, S3Calls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';
import { failure } from './site-failure.ts';

export type Created =
  | { readonly created: true; readonly versionId?: string }
  | { readonly created: false; readonly head: FoundHead };

export type Pause = (ms: number) => Promise<unknown>;

/**
 * Together about a second and a half on average; after that the batch waits with its own back-off.
 */
const ATTEMPTS = 8;
const FIRST_MS = 20;
const MOST_MS = 1_000;

export interface CreateOnlyOptions {
  /**
   * Sends a HEAD before the PUT. A store that has ceased to honour `If-None-Match` then overwrites no
   * visible object, and a duplicate costs no body.
   */
  readonly looksFirst: boolean;
  readonly pause?: Pause | undefined;
}

/**
 * Creates the object, or finds what has its key: one of the two happened when this resolves. A store
 * may also be undecided, by its own word (409), by an answer that is not a store's, or because what
 * it refused for (412) is gone when it is looked at; that is tried again a few times.
 */
export async function createOnly(
  calls: S3Calls,
  site: string,
  object: NewObject,
  { looksFirst, pause = sleep }: CreateOnlyOptions,
): Promise<Created> {
  const standing = looksFirst ? await lookFirst(calls, object.key) : undefined;
  if (standing !== undefined) return { created: false, head: standing };
  let unclear = false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** attempt));
    const result = await calls.putIfAbsent(object);
    if (result.put === 'created')
      return {
        created: true,
        ...defined({ versionId: result.versionId }),
      };
    unclear = result.put === 'unclear';
    if (result.put === 'conflict') continue;
    const head = await calls.head(object.key);
    if (head !== undefined) return { created: false, head };
  }
  if (unclear)
    throw failure(site, 'SITE_FAILED', "answers that are not an object store's, and no object");
  throw new S3Error({
    code: 'SITE_CONTENDED',
    message: `Expected site ${site} to create ${object.key} or to show what has its key, found neither in ${ATTEMPTS} attempts. See whether something else writes or deletes in its bucket; what waits is tried again.`,
    remedy: 'retry',
  });
}

/**
 * AWS answers 403 for a missing object if the credentials may not list, as a router's may not. Then
 * the PUT decides.
 */
async function lookFirst(calls: S3Calls, key: string): Promise<FoundHead | undefined> {
  try {
    return await calls.head(key);
  } catch (error) {
    if (hasCode(error, 'SITE_REFUSED')) return undefined;
    throw error;
  }
}
