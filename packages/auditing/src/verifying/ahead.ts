/**
 * Loads `count` items, up to `window` of them concurrently, and yields them in order: over a
 * network each load costs a round trip.
 */
export async function* ahead<T>(
  count: number,
  window: number,
  load: (index: number) => Promise<T>,
): AsyncGenerator<T> {
  const running: Promise<T>[] = [];
  for (let index = 0; index < count; index += 1) {
    const loading = load(index);
    // It is awaited below. Until then, a rejection must not count as unhandled.
    loading.catch(() => undefined);
    running.push(loading);
    const first = running.length < window ? undefined : running.shift();
    if (first !== undefined) yield await first;
  }
  for (const loading of running) yield await loading;
}
