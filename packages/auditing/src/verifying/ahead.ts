/** Loads `count` things in order, up to `window` of them at a time: over a network each costs a way there and back. */
export async function* ahead<T>(
  count: number,
  window: number,
  load: (index: number) => Promise<T>,
): AsyncGenerator<T> {
  const running: Promise<T>[] = [];
  for (let index = 0; index < count; index += 1) {
    const loading = load(index);
    // Awaited below; until then a failure is nobody's yet.
    loading.catch(() => undefined);
    running.push(loading);
    const first = running.length < window ? undefined : running.shift();
    if (first !== undefined) yield await first;
  }
  for (const loading of running) yield await loading;
}
