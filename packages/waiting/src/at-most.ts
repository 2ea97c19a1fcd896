import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves with the value of `promise`, or with `undefined` after `ms` milliseconds. Rejects if
 * `promise` does within that time; what it does later is ignored. The timer keeps no process alive.
 */
export async function atMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(ms, undefined, { ref: false, signal: done.signal }).catch(() => undefined),
    ]);
  } finally {
    done.abort();
  }
}
