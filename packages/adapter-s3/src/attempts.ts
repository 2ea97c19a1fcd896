import { setTimeout as sleep } from 'node:timers/promises';
import { UnreadableAnswer } from './http-pool.ts';
import { S3Error } from './s3-error.ts';
import { OLD_CREDENTIALS, nameOf, statusOf } from './site-failure.ts';
import { ForeignAnswer } from './store-answer.ts';

export interface Attempts {
  /** The first included. */
  readonly most: number;
  readonly signal: AbortSignal;
  /** Called for each failed attempt. */
  readonly failed: () => void;
  /** Asks for credentials anew; `undefined`: there are no others. */
  readonly refresh?: () => Promise<unknown>;
}

const FIRST_MS = 100;
const MOST_MS = 5_000;

const TRANSIENT_STATUS = new Set([408, 429, 500, 502, 503, 504]);
/** The clock has been corrected by the answer. */
const TRANSIENT = new Set([
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'RequestLimitExceeded',
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
]);

/**
 * Carries out a request, and repeats it after what may pass. Not left to the SDK: between two
 * attempts of a write the site's marker is looked at, since a name may lead elsewhere by then.
 * Once a call each, and without a pause, credentials that are too old are replaced, and a request
 * whose answer could not be read is left to the SDK.
 */
export async function attempted<T>(
  work: () => Promise<T>,
  { most, signal, failed, refresh }: Attempts,
): Promise<T> {
  let isRefreshed = refresh === undefined;
  let isReread = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (caught) {
      failed();
      if (signal.aborted || caught instanceof S3Error) throw caught;
      if (!isReread && caught instanceof UnreadableAnswer) {
        isReread = true;
        attempt -= 1;
        continue;
      }
      if (!isRefreshed && isOfOldCredentials(caught)) {
        isRefreshed = true;
        attempt -= 1;
        await refresh?.();
        continue;
      }
      if (attempt >= most || !isTransient(caught)) throw caught;
      await sleep(Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** attempt), undefined, {
        signal,
      });
    }
  }
}

function isOfOldCredentials(caught: unknown): boolean {
  const name = nameOf(caught);
  // A HEAD has no body that could say so.
  return name === undefined ? statusOf(caught) === 400 : OLD_CREDENTIALS.has(name);
}

function isTransient(caught: unknown): boolean {
  if (caught instanceof ForeignAnswer) return true;
  const [status, name] = [statusOf(caught), nameOf(caught)];
  if (name !== undefined && TRANSIENT.has(name)) return true;
  return status === undefined ? name !== 'CredentialsProviderError' : TRANSIENT_STATUS.has(status);
}
