import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundHead, NewObject, S3Calls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';

export type Created =
  | { readonly created: true; readonly versionId?: string }
  | { readonly created: false; readonly head: FoundHead };

export type Pause = (ms: number) => Promise<unknown>;

/** Together about a second and a half on average; after that the batch waits with its own back-off. */
const ATTEMPTS = 8;
const FIRST_MS = 20;
const MOST_MS = 1_000;

/**
 * Creates the object, or finds what stands in its place: one of the two happened when this resolves. A store may also be undecided, either
 * by its own word (409), or because what stood there (412) is gone when it is looked at; that is tried again a few times.
 */
export async function createOnly(
  calls: S3Calls,
  site: string,
  object: NewObject,
  pause: Pause = sleep,
): Promise<Created> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** attempt));
    const result = await calls.putIfAbsent(object);
    if (result.put === 'created')
      return {
        created: true,
        ...(result.versionId === undefined ? {} : { versionId: result.versionId }),
      };
    if (result.put === 'conflict') continue;
    const head = await calls.head(object.key);
    if (head !== undefined) return { created: false, head };
  }
  throw new S3Error({
    code: 'SITE_CONTENDED',
    message: `Expected site ${site} to create ${object.key} or to show what stands there, found neither in ${ATTEMPTS} attempts. See whether something else writes or deletes in its bucket; what waits is tried again.`,
    remedy: 'retry',
  });
}
