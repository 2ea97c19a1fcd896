import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 300_000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [10, 100];

/**
 * Calls `look` until it returns a value, for views that follow their log with a delay: at first
 * every 10 ms, later every 100. Throws after five minutes: no test asserts a time.
 */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + WITHIN_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(1.25 * pause, LONGEST_PAUSE_MS)) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Error(`Expected this within ${WITHIN_MS} ms; it did not happen.`);
    await sleep(pause);
  }
}
