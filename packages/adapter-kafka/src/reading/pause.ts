import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, or until `signal` is aborted; never rejects. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => {
    /* Aborted. */
  });
}

/** Waits for `promise`, but no longer; keeps no process alive for it. */
export async function atMost(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([
      promise,
      sleep(milliseconds, undefined, { ref: false, signal: done.signal }).catch(() => {
        /* Done in time. */
      }),
    ]);
  } finally {
    done.abort();
  }
}
