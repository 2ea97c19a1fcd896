import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls `look` until it returns a value, for views that follow their log with a delay. Throws after
 * `withinMs`.
 */
export async function eventually<T>(
  look: () => Promise<T | undefined>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Error(`Expected this within ${withinMs} ms; it did not happen.`);
    await sleep(10);
  }
}
