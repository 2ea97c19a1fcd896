import { setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  /** Wall clock, milliseconds. Its values remain valid after a restart. */
  now(): number;
  /** Monotonic clock, milliseconds. */
  monotonic(): number;
  /** Rejects with the signal's reason once it is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    // Reject with the signal's reason, not with the timer's own error.
    await sleep(milliseconds, undefined, { signal }).catch(() => {
      signal.throwIfAborted();
    });
  },
};
