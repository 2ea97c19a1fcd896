import { codeOf } from '@residency/coded-error';
import type { PurgingCalls, PutResult, ReplaceResult, S3Calls } from './s3-calls.ts';

/**
 * A call to a site ended, after so many milliseconds, the client's own retries included. `result`:
 * `ok`, `exists`, `missing`, `conflict`, or an error's code.
 */
export type OnRequest = (
  site: string,
  operation: 'put' | 'head' | 'get' | 'list' | 'delete',
  result: string,
  milliseconds: number,
) => void;

const FAILED = 'FAILED';

const done = (): string => 'ok';

const found = (value: unknown): string => (value === undefined ? 'missing' : 'ok');

type Observe = <T>(
  operation: Parameters<OnRequest>[1],
  answer: Promise<T>,
  resultOf: (value: T) => string,
) => Promise<T>;

/** The same calls, with `onRequest` called for each. */
export function observed(calls: S3Calls, site: string, onRequest: OnRequest | undefined): S3Calls {
  if (onRequest === undefined) return calls;
  const call = observer(site, onRequest);
  return {
    putIfAbsent: (object) => call('put', calls.putIfAbsent(object), putResult),
    head: (key) => call('head', calls.head(key), found),
    get: (key, maxBytes) => call('get', calls.get(key, maxBytes), found),
    peek: (key) => call('get', calls.peek(key), found),
    list: (prefix, page) => call('list', calls.list(prefix, page), found),
    renew: () => {
      calls.renew();
    },
    close: () => {
      calls.close();
    },
  };
}

/** As `observed`; a replacement is a `put`, and one that was refused has found that one `exists`. */
export function observedPurging(
  calls: PurgingCalls,
  site: string,
  onRequest: OnRequest | undefined,
): PurgingCalls {
  if (onRequest === undefined) return calls;
  const call = observer(site, onRequest);
  return {
    ...observed(calls, site, onRequest),
    replace: (object, etag) => call('put', calls.replace(object, etag), putResult),
    isLocked: () => call('get', calls.isLocked(), done),
    versions: (prefix) => call('list', calls.versions(prefix), done),
    deleteVersion: (key, versionId) => call('delete', calls.deleteVersion(key, versionId), done),
    uploads: (prefix) => call('list', calls.uploads(prefix), done),
    beginUpload: (key) => call('put', calls.beginUpload(key), done),
    abortUpload: (key, uploadId) => call('delete', calls.abortUpload(key, uploadId), done),
  };
}

function putResult({ put }: PutResult | ReplaceResult): string {
  if (put === 'created' || put === 'replaced') return 'ok';
  return put === 'differs' ? 'exists' : put;
}

function observer(site: string, onRequest: OnRequest): Observe {
  return async (operation, answer, resultOf) => {
    const since = performance.now();
    let result = FAILED;
    try {
      const value = await answer;
      result = resultOf(value);
      return value;
    } catch (error) {
      result = codeOf(error) ?? FAILED;
      throw error;
    } finally {
      onRequest(site, operation, result, performance.now() - since);
    }
  };
}
