import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves with the value of `promise`, or with `undefined` after `ms` milliseconds. Rejects if
 * `promise` does within that time; what it does later is ignored. An answer that arrived in time
 * counts, however busy this process was meanwhile. The timer keeps no process alive.
 */
export async function atMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([promise, silence(ms, done.signal)]);
  } finally {
    done.abort();
  }
}

async function silence(ms: number, signal: AbortSignal): Promise<undefined> {
  try {
    await sleep(ms, undefined, { ref: false, signal });
    // Timers come before sockets in a turn of the event loop: what has arrived is read first.
    await turn(undefined, { signal });
  } catch {
    /* Aborted. */
  }
}
