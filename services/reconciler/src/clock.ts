import { setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  /** Wall clock, milliseconds: outlives the process. */
  now(): number;
  /** Never goes back, milliseconds. */
  monotonic(): number;
  /** Rejects with the signal's reason once it is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    // The reason, not an error of the timer's own.
    await sleep(milliseconds, undefined, { signal }).catch(() => {
      signal.throwIfAborted();
    });
  },
};
